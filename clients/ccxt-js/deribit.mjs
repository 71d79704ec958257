// ccxt (JavaScript, REST and pro WebSocket) on Deribit: markets, balance, orders, an option,
// watched books, orders and trades, refusals.
import ccxt from 'ccxt';
import { check, deribit, done, refused, refusedHere, step, THROUGH_TIDEGATE, until, within } from './target.mjs';

const SYMBOL = 'ETH/USD:ETH';
const ex = deribit(ccxt.pro);
const markets = await ex.loadMarkets();
await ex.cancelAllOrders(SYMBOL);
const { id, inverse, contractSize, precision, active } = markets[SYMBOL];
step('market', { id, inverse, contractSize, precision, active });
check((await ex.fetchBalance()).ETH.total > 0, 'the account is funded');
let book;
for (let i = 0; i < 5; i += 1) {
    book = await within('a book', ex.watchOrderBook(SYMBOL));
    check(book.bids[0][0] < book.asks[0][0], 'the book is not crossed');
}
const mid = (book.bids[0][0] + book.asks[0][0]) / 2;
const away = (share) => Number(ex.priceToPrecision(SYMBOL, mid * share));
const brief = ({ status, type, side, amount, filled, timeInForce, postOnly, price, info }) =>
    ({ status, type, side, amount, filled, timeInForce, postOnly, price, mine: info.label ?? null });

const seen = [];
const ends = new AbortController();
(async () => {
    while (!ends.signal.aborted) {
        seen.push(...await ex.watchOrders(SYMBOL));
    }
})().catch((error) => ends.signal.aborted || seen.push({ error: String(error) }));
await new Promise((resolve) => setTimeout(resolve, 1500));

const order = await ex.createOrder(SYMBOL, 'limit', 'buy', 100, away(0.99), { label: 'js 1' });
check(order.info.label === 'js 1', 'the caller\'s own label comes back');
step('limit', brief(order));
const watched = await until('the stream tells the order', () => seen.find((o) => o.id === order.id));
check(watched.info.label === 'js 1', 'the stream tells the caller\'s own label');
step('watched', brief(watched));
const amended = await ex.editOrder(order.id, SYMBOL, 'limit', 'buy', 150, away(0.992));
check(amended.amount === 150, 'the amend took');
step('amended', brief(amended));
step('cancelled', brief(await ex.cancelOrder(order.id, SYMBOL)));
await until('the stream tells the cancel', () => seen.some((o) => o.id === order.id && o.status === 'canceled'));
await refused('cancel again', () => ex.cancelOrder(order.id, SYMBOL));
step('post-only', brief(await ex.createOrder(SYMBOL, 'limit', 'buy', 100, away(0.99), { post_only: true })));
await refused('post-only that would take', () =>
    ex.createOrder(SYMBOL, 'limit', 'buy', 100, away(1.004), { post_only: true, reject_post_only: true }));
await ex.cancelAllOrders(SYMBOL);
await until('nothing open', async () => (await ex.fetchOpenOrders(SYMBOL)).length === 0);

const bought = await ex.createOrder(SYMBOL, 'market', 'buy', 100);
check(bought.status === 'closed' && bought.filled === 100, 'the market order filled');
step('market order', brief(bought));
const trades = await until('trades', async () => {
    const mine = (await ex.fetchMyTrades(SYMBOL)).filter((trade) => trade.order === bought.id);
    return mine.length && mine;
});
check(trades.reduce((sum, trade) => sum + trade.amount, 0) === 100, 'the trades add up');
step('reduce-only', brief(await ex.createOrder(SYMBOL, 'market', 'sell', 100, undefined, { reduce_only: true })));
check(!seen.some((o) => o.error), `the stream stayed: ${seen.find((o) => o.error)?.error}`);

await refused('no such order', () => ex.cancelOrder('ETH-1', SYMBOL));
await refused('no such instrument', () => ex.privateGetBuy({ instrument_name: 'NOPE-PERPETUAL', amount: 10, type: 'limit', price: 1 }));

if (THROUGH_TIDEGATE) {
    const limit = [SYMBOL, 'limit', 'buy', 100, away(0.99)];
    const asCaller = (caller) => {
        const other = deribit(ccxt, caller);
        other.setMarkets(ex.markets);
        return other;
    };
    await refusedHere('too large', 'TG502', 'ExchangeError', () => ex.createOrder(SYMBOL, 'limit', 'buy', 2000000, away(0.999)));
    await refusedHere('withdraw', 'TG202', 'PermissionDenied', () =>
        ex.privateGetWithdraw({ currency: 'ETH', address: 'x', amount: 1 }));
    await refusedHere('halted', 'TG509', 'PermissionDenied', () => asCaller('halted').createOrder(...limit));
    await refusedHere('revoked', 'TG102', 'AuthenticationError', () => asCaller('revoked').fetchOpenOrders(SYMBOL));
}
ends.abort();
done();
await ex.close();
process.exit(0);
