// HTTP/2 in clear text, as far as unary gRPC calls need it: frames, header compression, one request per stream.
// There is no upgrade from HTTP/1.1, no push, no priority, and bodies are small enough for one flow-control window.
export { Http2Error, requestHttp2, serveHttp2, type Http2Message } from './connection.ts';
