import { createServer } from 'node:http';

/** The least that HTTP costs in Node: reads the body to its end, and answers. No Express, no JSON, no store. */
const server = createServer((request, response) => {
  request.resume().once('end', () => response.writeHead(202).end());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : undefined }));
});
process.once('SIGTERM', () => process.exit(0));
