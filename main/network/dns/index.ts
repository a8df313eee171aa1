// DNS: messages in wire format, asking one server, serving, and the stub resolver that programs are linked with.
export {
  decodeDns,
  dnsQuery,
  dnsResponse,
  encodeDns,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  type DnsRecordType,
  type DnsReply,
  type DnsResponseCode,
} from './message.ts';
export { exchangeDns, type Exchanged, type ExchangeOptions } from './exchange.ts';
export { serveDns, type DnsHandler, type DnsServerOptions } from './server.ts';
export {
  parseResolvConf,
  ResolveError,
  Resolver,
  type ResolveErrorCode,
  type Resolved,
  type ResolverConfig,
  type ResolverOptions,
} from './resolver.ts';
