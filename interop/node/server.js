'use strict';

// The server of the npm package ws. Its orders are those of ../doc.go. Each
// argument is a setting for which it listens on a port of its own: "off", or
// the parameters of permessage-deflate that it insists on.

const { WebSocketServer } = require('ws');

const subprotocol = 'v1.wsflow';

const orders = { close, ping, burst, cut, reset };

function close(ws, code, reason) {
  if (code) ws.close(Number(code), reason);
  else ws.close();
}

function ping(ws, payload) {
  ws.once('pong', (answer) => ws.send(`pong ${answer}`));
  ws.ping(payload);
}

function burst(ws, size) {
  ws.send('x'.repeat(Number(size) << 20));
}

function cut(ws, count) {
  send(ws, count, () => ws._socket.destroySoon());
}

function reset(ws, count) {
  send(ws, count);
  ws.once('pong', () => ws._socket.resetAndDestroy());
  ws.ping('reset'); // a RST discards what was not sent yet
}

function send(ws, count, sent) {
  const last = Number(count) - 1;
  for (let i = 0; i <= last; i++) ws.send(`message ${i}`, i === last ? sent : undefined);
}

function serve(ws) {
  ws.on('message', (data, isBinary) => {
    const [order, ...rest] = isBinary ? [] : split(data.subarray(0, 200).toString());
    if (Object.hasOwn(orders, order)) orders[order](ws, ...rest);
    else ws.send(data, { binary: isBinary });
  });
  ws.on('close', (code, reason) => {
    if (code !== 1006) console.log(`closed ${code} ${reason}`);
  });
  ws.on('error', () => {});
}

// split cuts a text into an order's name, its first argument, and the rest.
function split(text) {
  const [order, first, ...rest] = text.split(' ');
  return [order, first, rest.join(' ')];
}

function deflate(setting) {
  if (setting === 'off') return false;
  const options = { threshold: 0 };
  for (const part of setting.split(';').map((s) => s.trim())) {
    const [name, value] = part.split('=');
    const camel = name.replace(/_(.)/g, (_, c) => c.toUpperCase());
    options[camel] = value === undefined ? true : Number(value);
  }
  return options;
}

async function main() {
  console.log(`version ${require('ws/package.json').version}`);
  for (const setting of process.argv.slice(2)) {
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      perMessageDeflate: deflate(setting),
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    });
    server.on('connection', serve);
    await new Promise((resolve) => server.on('listening', resolve));
    console.log(`listening ${server.address().port}`);
  }
}

main();
