// Upstreams of the clients that Go's standard library has no server for: gRPC over TLS, and WebSocket; and one that takes large
// bodies. Each serves only who brings the token. Usage: node servers.mjs TOKEN
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import grpc from '@grpc/grpc-js';
import { WebSocketServer } from 'ws';

const authorization = 'Bearer ' + process.argv[2];

// On :8010: what a body was, what HTTP it came with, and an echo over WebSocket.
const web = http.createServer((request, response) => {
  if (request.headers.authorization !== authorization) {
    response.writeHead(401).end('the token is missing\n');
    return;
  }
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('data', (piece) => { hash.update(piece); bytes += piece.length; });
  request.on('end', () => response.end(`${bytes} ${hash.digest('hex')}\n`));
});
const sockets = new WebSocketServer({ noServer: true });
web.on('upgrade', (request, socket, head) => {
  if (request.headers.authorization !== authorization) {
    socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  sockets.handleUpgrade(request, socket, head, (ws) => ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary })));
});
web.listen(8010);

// On :8443: one service with a method of each kind that matters. Its messages are bytes.
const method = (name, requestStream, responseStream) => ({
  path: '/echo.Echo/' + name, requestStream, responseStream,
  requestSerialize: (b) => b, requestDeserialize: (b) => b, responseSerialize: (b) => b, responseDeserialize: (b) => b,
});
const unauthenticated = { code: grpc.status.UNAUTHENTICATED, details: 'the token is missing' };
const allowed = (call) => call.metadata.get('authorization').join() === authorization;
const server = new grpc.Server();
server.addService({ Say: method('Say', false, false), Fail: method('Fail', false, false), Talk: method('Talk', true, true) }, {
  Say: (call, done) => (allowed(call) ? done(null, call.request) : done(unauthenticated)),
  Fail: (_call, done) => done({ code: grpc.status.FAILED_PRECONDITION, details: 'not now' }),
  Talk: (call) => {
    if (!allowed(call)) {
      call.emit('error', unauthenticated);
      return;
    }
    call.on('data', (message) => call.write(message));
    call.on('end', () => call.end());
  },
});
const pair = { cert_chain: readFileSync('/story/upstream.pem'), private_key: readFileSync('/story/upstream.key') };
server.bindAsync('0.0.0.0:8443', grpc.ServerCredentials.createSsl(null, [pair]), (error) => {
  if (error) throw error;
  console.log('serving');
});
