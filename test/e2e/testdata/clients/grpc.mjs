// Calls through the sidecar over prior-knowledge HTTP/2 without TLS: one message, an error, and a conversation of which each message is
// answered before the next is said. Usage: node grpc.mjs HOST:PORT
import grpc from '@grpc/grpc-js';

const client = new grpc.Client(process.argv[2], grpc.credentials.createInsecure());
const bytes = (b) => b;
const deadline = { deadline: Date.now() + 60_000 };

const unary = (name, message) => new Promise((resolve, reject) => {
  client.makeUnaryRequest('/echo.Echo/' + name, bytes, bytes, Buffer.from(message), new grpc.Metadata(), deadline,
    (error, answer) => (error ? reject(error) : resolve(answer.toString())));
});

const said = await unary('Say', 'ping');
if (said !== 'ping') throw new Error('Say: ' + said);

const failed = await unary('Fail', 'ping').catch((error) => error);
if (failed.code !== grpc.status.FAILED_PRECONDITION || failed.details !== 'not now') throw new Error('Fail: ' + failed);

await new Promise((resolve, reject) => {
  const call = client.makeBidiStreamRequest('/echo.Echo/Talk', bytes, bytes, new grpc.Metadata(), deadline);
  const left = ['one', 'two', 'three'];
  call.on('data', (message) => {
    if (message.toString() !== left.shift()) reject(new Error('Talk: ' + message));
    else if (left.length > 0) call.write(Buffer.from(left[0]));
    else call.end();
  });
  call.on('error', reject);
  call.on('status', (status) => (status.code === grpc.status.OK && left.length === 0 ? resolve() : reject(new Error('Talk: ' + status.details))));
  call.write(Buffer.from(left[0]));
});
client.close();
