"""One run: sets the stage, lets things go wrong, waits for quiet, and judges."""

import json
import os
import random
import time
from collections import Counter

import bot as bots_code  # noqa: F401 - a mistake in it shows at once
import exchange
import faults
import judge
import stage
import world

CHAOS_FOLDER = os.path.dirname(os.path.abspath(__file__))
# Before something goes wrong again, in seconds.
PAUSES = (1.0, 6.0)
BOTS_END_S = 300


class Run:
    def __init__(self, folder, args, have, why, python):
        self.folder, self.args, self.python = folder, args, python
        self.chance = random.Random(args.seed)
        self.counts = Counter()
        self.missing = []
        self.notes = []
        self.violations = []
        self.bots = {}
        self.place = None
        # How often the gateway tried to start while the disk was full.
        self.full_starts = 0
        self.net = world.Net() if "net" in have else None
        if "net" in args.faults and not self.net:
            self.missing.append(f"the network is not cut: no network namespace: {why}")
        if self.net and not self.net.has_netem and "net" in args.faults:
            self.missing.append("loss and delay by `tc netem`: this kernel has none; the cable goes mute for moments instead")
        small = "disk" in args.faults and "mount" in have
        if "disk" in args.faults and not small:
            self.missing.append(f"the disk is not filled: no small disk can be mounted: {why}")
        self.disk = int(48 + 16 * args.minutes) if small else None

    def begin(self, seats, symbols, bundle):
        """Starts everything, and waits until every bot has traded."""
        self.place = place = stage.Stage(self.folder, self.net, self.disk)
        authorities = [self.folder / "exchange" / "ca.pem", place.data / "ca.pem"]
        bundle.write_text("".join(path.read_text() for path in authorities))
        self.exchange = exchange.Exchange(place.exchange_at, place.sim.told, str(authorities[0]), symbols)
        self.seats = []
        for seat in seats:
            self.seats.append({**seat, **place.seat(seat["name"], seat["account"]), "seed": self.args.seed})
        self.probe_seat = {**place.seat("probe", "binance-main"), "symbol": "BTC/USDT:USDT", "unit": 0.01}
        place.wait_open()
        for seat in self.seats:
            path = self.folder / f"{seat['name']}.seat.json"
            path.write_text(json.dumps(seat))
            self.bots[seat["name"]] = stage.Supervised(
                f"bot {seat['name']}", [self.python, "-u", os.path.join(CHAOS_FOLDER, "bot.py"), str(path),
                                        str(self.folder / f"{seat['name']}.jsonl")],
                self.folder / f"{seat['name']}.log", ready=False)
        self.until("every bot traded", lambda: all(self.answers(seat) > 2 for seat in self.seats), 120)

    def answers(self, seat):
        """How many orders were answered to a bot."""
        try:
            return (self.folder / f"{seat['name']}.jsonl").read_text().count('"how": "answer"')
        except OSError:
            return 0

    def go_wrong(self):
        """Lets things go wrong for as long as asked."""
        end = time.monotonic() + self.args.minutes * 60
        chosen = faults.of(self)
        # A full disk takes a while, so it has its own places in the run.
        fills = max(1, round(self.args.minutes / 5)) if self.disk else 0
        filled = 0
        length = self.args.minutes * 60
        while time.monotonic() < end:
            time.sleep(self.chance.uniform(*PAUSES))
            gone = 1 - (end - time.monotonic()) / length
            if filled < fills and gone >= (filled + 0.3) / fills:
                filled += 1
                self.strike("disk filled", faults.fill_disk)
                self.place.wait_open()
            elif chosen:
                name, fault = self.chance.choice(chosen)
                self.strike(name, fault)
            if self.chance.random() < 0.2:
                self.place.wait_open()
                self.exchange.look()
        if filled < fills:
            self.strike("disk filled", faults.fill_disk)

    def strike(self, name, fault):
        self.log(name)
        if fault(self) is not False:
            self.counts[name] += 1

    def end(self):
        """Waits for quiet, halts everything, judges and prints; whether anything is wrong."""
        if self.net:
            for cable in self.net.cables.values():
                cable.whole()
        self.log("quiet")
        self.place.wait_open()
        self.exchange.look()
        for process in self.bots.values():
            process.wanted = False
            process.restart()
        end = time.monotonic() + BOTS_END_S
        for process in self.bots.values():
            process.thread.join(max(1, end - time.monotonic()))
        self.exchange.look()
        status = self.place.wait_open()
        time.sleep(2)
        status = self.place.wait_open()
        halt = faults.halt_all(self, "the end")
        self.exchange.look()
        seats = [{**seat} for seat in self.seats]
        told = judge.Bots(seats, self.folder)
        found, story = judge.judge(self.place, self.exchange, told, status)
        found += [halt, ("with a full disk: no new order, but cancels and a halt", f"{self.counts['disk filled']} times",
                         self.violations)] if self.disk else [halt]
        return self.show(found, story, told)

    def show(self, found, story, told):
        rows = [(name, count) for name, count in sorted(self.counts.items())]
        print("\nwhat went wrong on purpose")
        for name, count in rows:
            print(f"  {name:<44}{count:>7}")
        for line in self.missing:
            print(f"  not possible here: {line}")
        print(f"  {'starts of the gateway':<44}{self.place.gateway.starts:>7}")
        print(f"  {'starts of the simulator':<44}{self.place.sim.starts:>7}")
        print("\nwhat the bots did and were told")
        names = [("intent", "orders intended"), ("sent", "orders sent"), ("told", "statements about orders"),
                 ("doubt", "errors that left an order's fate open"), ("never", "orders that never arrived"),
                 ("refused", "orders refused"), ("cancel-doubt", "cancels with an open fate"), ("view", "final views")]
        for key, name in names:
            print(f"  {name:<44}{told.counts[key]:>7}")
        print("\nwhat was found")
        for name, what, bad in found:
            print(f"  {'ok    ' if not bad else 'FAILED'} {name}: {what}")
            for line in bad[:20]:
                print(f"         {line}")
            if len(bad) > 20:
                print(f"         and {len(bad) - 20} more")
        for note in self.notes:
            print(f"  {note}")
        failed = any(bad for _, _, bad in found)
        print(f"\n{'FAILED' if failed else 'nothing lost, nothing twice'}: seed {self.args.seed}, {self.args.minutes:g} min, "
              f"{story.counts['Cleared']} orders, {sum(self.counts.values())} faults")
        return failed

    def log(self, what):
        """Says what is done now, for whoever reads along."""
        with open(self.folder / "faults.log", "a") as file:
            file.write(f"{time.time():.3f} {what}\n")

    def until(self, what, condition, seconds):
        """Waits until something is so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.2)
        raise stage.Trouble(f"{what}: not within {seconds} s")

    def stop(self):
        """Ends whatever runs."""
        for process in self.bots.values():
            process.wanted = False
            if process.child and process.child.poll() is None:
                process.child.kill()
        if self.place:
            self.place.stop()
