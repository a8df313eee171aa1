// DNS: messages in wire format, asking one server, serving, and the stub resolver that programs are linked with.
export {
  decodeDns,
  dnsQuery,
  dnsResponse,
  encodeDns,
  type DnsMessage,
  type DnsRecord,
  type DnsRecordType,
  type DnsReply,
  type DnsResponseCode,
} from './message.ts';
export { exchangeDns } from './exchange.ts';
export { serveDns, type DnsHandler } from './server.ts';
export { parseResolvConf, ResolveError, Resolver } from './resolver.ts';
