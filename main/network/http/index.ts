// HTTP/1.1 over byte streams: parsing, serving, requesting, upgrading. Knows no transport and no application.
export {
  headerOf,
  type Body,
  type HeaderList,
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  type Peer,
} from './message.ts';
export { IncomingBody, writeChunks } from './body.ts';
export { HttpProtocolError } from './head.ts';
export { LineTooLong, StreamReader } from './stream-reader.ts';
export { serveHttp, type AcceptedStream, type StreamSource } from './server.ts';
export { HttpClientConnection, httpRequest, type ClientRequest, type ClientResponse } from './client.ts';
export { acceptWebSocket, connectWebSocket, WebSocket, WebSocketRefused } from './websocket.ts';
