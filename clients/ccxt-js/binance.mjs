// ccxt (JavaScript, REST) on USDⓈ-M futures: markets, balance, every kind of order, refusals.
import ccxt from 'ccxt';
import { binance, check, done, refused, refusedHere, step, THROUGH_TIDEGATE, until } from './target.mjs';

const SYMBOL = 'ETH/USDT:USDT';
const ex = binance(ccxt);
const markets = await ex.loadMarkets();
await ex.cancelAllOrders(SYMBOL);
const { id, linear, contractSize, precision, active } = markets[SYMBOL];
step('market', { id, linear, contractSize, precision, active });
check((await ex.fetchBalance()).USDT.total > 0, 'the account is funded');
const book = await ex.fetchOrderBook(SYMBOL, 20);
check(book.bids[0][0] < book.asks[0][0], 'the book is not crossed');
step('tickers', Object.keys(await ex.fetchTickers([SYMBOL])));
const mid = (book.bids[0][0] + book.asks[0][0]) / 2;
const away = (share) => Number(ex.priceToPrecision(SYMBOL, mid * share));
const brief = ({ status, type, side, amount, filled, timeInForce, postOnly, reduceOnly, price }) =>
    ({ status, type, side, amount, filled, timeInForce, postOnly, reduceOnly, price });

const order = await ex.createOrder(SYMBOL, 'limit', 'buy', 0.5, away(0.99), { newClientOrderId: 'js-1' });
check(order.clientOrderId === 'js-1', 'the caller\'s own id comes back');
step('limit', brief(order));
const opened = await ex.fetchOpenOrders(SYMBOL);
check(opened.length === 1 && opened[0].id === order.id, 'the order is the only open one');
const amended = await ex.editOrder(order.id, SYMBOL, 'limit', 'buy', 0.7, away(0.985));
check(amended.amount === 0.7, 'the amend took');
step('amended', brief(amended));
step('cancelled', brief(await ex.cancelOrder(order.id, SYMBOL)));
await refused('cancel again', () => ex.cancelOrder(order.id, SYMBOL));

step('post-only', brief(await ex.createOrder(SYMBOL, 'limit', 'buy', 0.5, away(0.99), { postOnly: true })));
await refused('post-only that would take', () =>
    ex.createOrder(SYMBOL, 'limit', 'buy', 0.5, away(1.005), { postOnly: true }));
await ex.cancelAllOrders(SYMBOL);
await until('nothing open', async () => (await ex.fetchOpenOrders(SYMBOL)).length === 0);

const bought = await ex.createOrder(SYMBOL, 'market', 'buy', 0.5);
const filled = await until('filled', async () => {
    const seen = await ex.fetchOrder(bought.id, SYMBOL);
    return seen.status === 'closed' && seen;
});
step('market order', brief(filled));
const position = (await ex.fetchPositions([SYMBOL])).find((p) => p.contracts);
check(position.contracts === 0.5 && position.side === 'long', 'the position is there');
const trades = await until('trades', async () => {
    const mine = (await ex.fetchMyTrades(SYMBOL)).filter((trade) => trade.order === bought.id);
    return mine.length && mine;
});
check(Math.abs(trades.reduce((sum, trade) => sum + trade.amount, 0) - 0.5) < 1e-9, 'the trades add up');
const stop = await ex.createOrder(SYMBOL, 'market', 'sell', 0.5, undefined, { stopLossPrice: away(0.97), reduceOnly: true });
step('stop', { type: stop.type, side: stop.side, amount: stop.amount });
await ex.cancelOrder(stop.id, SYMBOL, { trigger: true });
step('reduce-only', brief(await ex.createOrder(SYMBOL, 'market', 'sell', 0.5, undefined, { reduceOnly: true })));
await until('flat', async () => !(await ex.fetchPositions([SYMBOL])).some((p) => p.contracts));

await refused('no such order', () => ex.cancelOrder('1', SYMBOL));
await refused('no such instrument', () => ex.fapiPrivatePostOrder(
    { symbol: 'NOPEUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '1', price: '1' }));
await refused('off the tick', () => ex.fapiPrivatePostOrder(
    { symbol: 'ETHUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.5', price: away(0.99) + 0.0003 }));
const bad = binance(ccxt);
bad.secret = '0'.repeat(64);
await refused('wrong secret', () => bad.fapiPrivateV3GetAccount());

if (THROUGH_TIDEGATE) {
    const asCaller = (caller) => {
        const other = binance(ccxt, caller);
        other.setMarkets(ex.markets);
        return other;
    };
    const limit = [SYMBOL, 'limit', 'buy', 0.5, away(0.99)];
    await refusedHere('too large', 'TG502', 'ExchangeError', () => ex.createOrder(SYMBOL, 'limit', 'buy', 1000, away(0.999)));
    await refusedHere('far from the mark', 'TG503', 'BadRequest', () => ex.createOrder(SYMBOL, 'limit', 'buy', 0.5, away(1.5)));
    await refusedHere('withdraw', 'TG202', 'AuthenticationError', () =>
        ex.sapiPostCapitalWithdrawApply({ coin: 'USDT', address: 'x', amount: 1 }));
    await refusedHere('halted', 'TG509', 'ExchangeError', () => asCaller('halted').createOrder(...limit));
    await refusedHere('type not granted', 'TG304', 'ExchangeError', () =>
        asCaller('narrow').createOrder(SYMBOL, 'market', 'buy', 0.5));
    await refusedHere('revoked', null, 'AuthenticationError', () => asCaller('revoked').fetchOpenOrders(SYMBOL));
}
done();
