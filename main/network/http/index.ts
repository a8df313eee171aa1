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
