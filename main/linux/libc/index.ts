// What a machine's C library does by its files in /etc: names of hosts and services, looked up as getaddrinfo(3) does.
export {
  isRecordType,
  listHosts,
  lookupHost,
  lookupService,
  queryOnce,
  readResolvConf,
  reverseLookup,
  searchCandidates,
  type DnsReply,
} from './resolver.ts';
export { serviceName, servicePort } from './services.ts';
