"""What goes wrong, each for a while and then no more."""

import os
import time

import ccxt

import stage
import venues

# From a full disk until the journal can take no more, at most.
FILLED_S = 240


def of(run):
    """The faults of a run by name: what was asked for and can be done here."""
    chosen = []
    if "kill" in run.args.faults:
        chosen += [("kill -9 gateway", kill_gateway), ("kill -9 signer", kill_signer),
                   ("kill -9 simulator", kill_simulator), ("kill -9 gateway, signer and simulator", kill_all),
                   ("kill -9 bot", kill_bot)]
    if "net" in run.args.faults and run.net:
        for name, cable in run.net.cables.items():
            side = "exchange" if name == "exchange" else "bots"
            chosen += [
                (f"link to {side}: down", lambda run, c=cable: down(run, c)),
                (f"link to {side}: half open, one way", lambda run, c=cable: mute(run, c)),
                (f"link to {side}: loss", lambda run, c=cable: run.net.shake(c, run.chance.uniform(2, 8), run.chance)),
                (f"link to {side}: connections reset", lambda run, c=cable: c.reset()),
            ]
            if "kill" in run.args.faults:
                chosen.append((f"link to {side}: down, gateway killed meanwhile",
                               lambda run, c=cable: down(run, c, kill_gateway)))
    return chosen


def kill_gateway(run):
    run.place.gateway.kill()


def kill_signer(run):
    return run.place.kill_signer()


def kill_simulator(run):
    run.place.sim.kill()


def kill_all(run):
    kill_signer(run)
    run.place.gateway.kill()
    run.place.sim.kill()


def kill_bot(run):
    process = run.bots[run.chance.choice(sorted(run.bots))]
    if process.child and process.child.poll() is None:
        process.kill()


def down(run, cable, meanwhile=None):
    """The plug is out at one end: seen by the gateway, or by the other side alone."""
    end = run.chance.randrange(2)
    cable.pull(end)
    time.sleep(run.chance.uniform(0.5, 4))
    if meanwhile:
        meanwhile(run)
    time.sleep(run.chance.uniform(0.5, 10))
    cable.plug(end)


def mute(run, cable):
    """Requests or answers get lost, one way, without a word: connections are half open."""
    end = run.chance.randrange(2)
    cable.mute(end)
    time.sleep(run.chance.uniform(1, 14))
    cable.unmute(end)


def halt_all(run, when):
    """Halts everything; as a check: the command proves it, and the exchange shows nothing open."""
    bad = []
    code, told = run.place.own("halt", "all", "--reason", f"chaos, {when}", check=False)
    if code != 0:
        bad.append(f"{when}: `tidegate halt all` ended with {code}: {told}")
    left = {venue: ids for venue, ids in run.exchange.open_orders().items() if ids}
    if left:
        bad.append(f"{when}: open at the exchange after `halt all`: {left}")
    return "`halt all` leaves nothing open", "proven by the gateway, seen at the exchange", bad


class Filler:
    """Takes all the room there is, and what becomes free."""

    def __init__(self, folder):
        self.path = folder / "filler"
        self.file = open(self.path, "ab", buffering=0)

    def fill(self):
        block = bytes(1 << 20)
        while block:
            try:
                if self.file.write(block) < len(block):
                    raise OSError
            except OSError:
                block = block[: len(block) // 2]

    def free(self):
        self.file.close()
        os.remove(self.path)


def fill_disk(run):
    """Fills the disk under the journal while the bots trade: no new order may leave without its
    record, cancels and a halt must. Then makes room and starts the gateway again, as it asks."""
    place, wrong = run.place, run.violations.append
    run.until("the gateway answers", place.status, stage.START_S)
    status = place.wait_open()
    probe = venues.of(ccxt, run.probe_seat)
    persist(run, "the probe's client", probe.begin)
    resting = rest(run, probe)
    filler = Filler(run.folder / "disk")
    run.log("filling")

    def failed():
        filler.fill()
        told = place.status()
        return told and told["journal_failed"]
    try:
        why = run.until("the journal takes no more", failed, FILLED_S)
        run.notes.append(f"full disk, the gateway says: {why}")
        run.log(f"journal failed: {why}")
        # What was on record by then may still be on its way.
        time.sleep(3)
        run.exchange.look()
        before = {venue: set(by) for venue, by in run.exchange.arrivals.items()}
        refused_order(run, probe, resting.price, wrong)
        cancel_passes(run, probe, resting, wrong)
        filler.fill()
        for line in halt_all(run, "the disk is full")[2]:
            wrong(line)
        run.exchange.look()
        for venue, by in run.exchange.arrivals.items():
            for own in set(by) - before[venue]:
                wrong(f"{venue}: {own} arrived while the journal could take no record")
        run.full_starts = start_without_room(run) if run.counts["disk filled"] % 2 else 0
    finally:
        filler.free()
    run.log("room again")
    if not run.full_starts:
        place.gateway.restart()
    place.gateway.wait_ready()
    status = run.until("the gateway answers", place.status, stage.START_S)
    if not status["halts"]:
        wrong("the halt that was made while the journal was dead is not in force after the restart")
    (place.data / "HALT").unlink(missing_ok=True)
    run.until("resumed", lambda: place.own("resume", "all", "--reason", "room again", check=False)[0] == 0, 60)
    place.wait_open()
    return status is not None


def start_without_room(run):
    """Kills the gateway while the disk is full; how often it tried to start in vain."""
    gateway = run.place.gateway
    failed = gateway.failed_starts
    run.log("gateway killed while the disk is full")
    gateway.kill()
    run.until("a start without room", lambda: gateway.failed_starts > failed or gateway.is_ready.is_set(), 60)
    run.counts["gateway killed while the disk is full"] += 1
    if gateway.failed_starts > failed:
        run.notes.append(f"full disk, a start says: {gateway.why}")
    return gateway.failed_starts - failed


def persist(run, what, act):
    """Tries until it does: what went wrong before may not be over yet."""
    def tried():
        try:
            return act() or True
        except ccxt.BaseError as error:
            return venues.is_duplicate(error)
    return run.until(what, tried, stage.START_S)


def rest(run, probe):
    """An order that stays in the market."""
    bid, _ = persist(run, "a book", probe.touch)
    import bot
    intent = bot.Intent(f"probe-{time.time_ns()}", "buy", "limit", probe.amount(1), probe.price(bid * 0.98))
    persist(run, "the probe's order", lambda: probe.create(intent))
    return intent


def refused_order(run, probe, price, wrong):
    """A new order must be refused, in words that say why."""
    import bot
    intent = bot.Intent(f"probe-{time.time_ns()}", "buy", "limit", probe.amount(1), price)
    try:
        probe.create(intent)
        wrong(f"{intent.own} was taken while the journal could take no record")
    except ccxt.BaseError as error:
        if "TG601" not in str(error):
            wrong(f"a new order was refused without saying that the journal cannot be written: {error}")
        run.notes.append(f"full disk, a bot's new order: {type(error).__name__}: {str(error)[:200]}")


def cancel_passes(run, probe, resting, wrong):
    """A cancel must get through."""
    try:
        probe.cancel(resting)
    except ccxt.BaseError as error:
        wrong(f"a cancel did not pass: {type(error).__name__}: {str(error)[:300]}")
        return
    left = run.exchange.open_orders()["binance"]
    order = persist(run, "the cancelled order", lambda: probe.ask(resting))
    if order["status"] != "canceled":
        wrong(f"cancelled, and yet {order['status']}; open at the exchange: {left}")
