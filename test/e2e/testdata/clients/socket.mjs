// Has a text and bytes echoed over a WebSocket. Usage: node socket.mjs URL
import WebSocket from 'ws';

const socket = new WebSocket(process.argv[2], { headers: { Authorization: 'Bearer credproxy-placeholder' } });
const wanted = ['ping', Buffer.alloc(100_000, 7)];
await new Promise((resolve, reject) => {
  socket.on('open', () => socket.send(wanted[0]));
  socket.on('message', (data, isBinary) => {
    const want = wanted.shift();
    if (isBinary !== (typeof want !== 'string') || Buffer.compare(data, Buffer.from(want)) !== 0) reject(new Error('echoed otherwise'));
    else if (wanted.length > 0) socket.send(wanted[0]);
    else socket.close(1000);
  });
  socket.on('close', (code) => (code === 1000 && wanted.length === 0 ? resolve() : reject(new Error('closed with ' + code))));
  socket.on('error', reject);
});
