import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeDns,
  dnsQuery,
  dnsResponse,
  encodeDns,
  type DnsRecord,
} from '../../../../main/network/dns/index.ts';

test('an answer about the question’s own name is as long as the real one', () => {
  const query = dnsQuery(1, 'web1.default.svc.cluster.local', 'A', 1232);
  const answers: DnsRecord[] = [
    { name: 'web1.default.svc.cluster.local', type: 'A', ttl: 30, class: 'IN', data: '10.96.10.11' },
  ];
  // 12 header, 32 + 4 question, 2 + 10 + 4 answer by pointer, 11 OPT.
  expect(encodeDns(dnsResponse(query, { answers }))).toHaveLength(75);
});

test('compressed messages read as what was written (property)', () => {
  const label = fc.constantFrom('a', 'bb', 'svc', 'cluster', 'local', 'x-y');
  const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
  const ttl = fc.nat(600);
  const record: fc.Arbitrary<DnsRecord> = fc.oneof(
    fc.record({
      name,
      ttl,
      type: fc.constant('A' as const),
      class: fc.constant('IN' as const),
      data: fc.constant('10.0.0.1'),
    }),
    fc.record({
      name,
      ttl,
      type: fc.constantFrom('CNAME' as const, 'NS' as const, 'PTR' as const),
      class: fc.constant('IN' as const),
      data: name,
    }),
    fc.record({
      name,
      ttl,
      type: fc.constant('SRV' as const),
      class: fc.constant('IN' as const),
      data: fc.record({ priority: fc.nat(9), weight: fc.nat(9), port: fc.nat(65_535), target: name }),
    }),
    fc.record({
      name,
      ttl,
      type: fc.constant('MX' as const),
      class: fc.constant('IN' as const),
      data: fc.record({ preference: fc.nat(9), exchange: name }),
    }),
  );
  fc.assert(
    fc.property(name, fc.array(record, { maxLength: 12 }), (question, answers) => {
      const bytes = encodeDns(dnsResponse(dnsQuery(1, question, 'A'), { answers }));
      const read = decodeDns(bytes)!.answers.map(
        ({ name: owner, type, data }: DnsRecord & { data?: unknown }) => ({ owner, type, data: clean(data) }),
      );
      expect(read).toEqual(
        answers.map(({ name: owner, type, data }: DnsRecord & { data?: unknown }) => ({
          owner,
          type,
          data: clean(data),
        })),
      );
    }),
    { seed: 5 },
  );
});

function clean(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data));
}
