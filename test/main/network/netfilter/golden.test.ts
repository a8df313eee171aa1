// iptables-restore of what the real iptables-save printed, saved again, must be the same text.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseRule } from '../../../../main/network/index.ts';
import { makeWorld } from '../world.ts';
import { noRecordings } from '../../../support/no-recordings.ts';

const GOLDEN = join(import.meta.dirname, '../../../../../shared/golden');

/** Every iptables-save dump among the recordings: its rules, without counters and dates. */
function recordings(): { name: string; text: string }[] {
  const found: { name: string; text: string }[] = [];
  const folders = existsSync(GOLDEN) ? readdirSync(join(GOLDEN, 'kube-proxy'), { withFileTypes: true }) : [];
  for (const folder of folders) {
    if (!folder.isDirectory()) continue;
    found.push({
      name: folder.name,
      text: readFileSync(join(GOLDEN, 'kube-proxy', folder.name, 'iptables-save.txt'), 'utf8'),
    });
  }
  for (const name of existsSync(GOLDEN) ? ['26-save.txt', '61-ipvs-save.txt'] : []) {
    const text = readFileSync(join(GOLDEN, 'iptables', name), 'utf8');
    found.push({ name, text: text.slice(text.indexOf('#'), text.lastIndexOf('[exit')) });
  }
  return found;
}

const plain = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/\[\d+:\d+\]/, '[0:0]'));

/** Lines per table: the recordings don't keep iptables' order of tables. */
function byTable(text: string): Record<string, string[]> {
  const tables: Record<string, string[]> = {};
  let lines: string[] = [];
  for (const line of plain(text)) {
    if (line.startsWith('*')) lines = tables[line] = [];
    else lines.push(line);
  }
  return tables;
}

const all = recordings();

const recordedTest = all.length === 0 ? noRecordings : test;

recordedTest('there are recordings to compare with', () => {
  expect(all.length).toBeGreaterThan(40);
});

test.each(all)('$name: restored and saved again it reads the same', ({ text }) => {
  const world = makeWorld();
  const machine = world.namespace('worker1');
  for (const set of new Set(
    [...text.matchAll(/--match-set (\S+) (\S+)/g)].map((match) => `${match[1]} ${match[2]}`),
  )) {
    const [setName = '', flags = ''] = set.split(' ');
    const type =
      (['', 'hash:ip', 'hash:ip,port', 'hash:ip,port,ip'] as const)[flags.split(',').length] || 'hash:ip';
    machine.ipsets.create(setName, setName.includes('NODE-PORT') ? 'bitmap:port' : type, { exist: true });
  }
  // A dump of one Service leaves out chains of others that its frame jumps to.
  machine.netfilter.restore(text);
  expect(byTable(machine.netfilter.save())).toEqual(byTable(text));
  const again = makeWorld().namespace('other');
  for (const set of machine.ipsets.list()) again.ipsets.create(set.name, set.type, set.options);
  again.netfilter.restore(machine.netfilter.save(), { noFlush: true });
  expect(again.netfilter.save()).toBe(machine.netfilter.save());
});

recordedTest('each rule parsed alone prints itself', () => {
  for (const { text } of all) {
    for (const line of plain(text)) {
      const match = /^-A \S+ ?(.*)$/.exec(line);
      if (match === null) continue;
      const words = [...(match[1] ?? '').matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
        (word) => word[1] ?? word[2] ?? '',
      );
      expect(parseRule(words).toSpec()).toBe(match[1]);
    }
  }
});

recordedTest('rules are described as `iptables -L -n` lists them', () => {
  const listing = readFileSync(join(GOLDEN, 'iptables', '02-nat-L-n-v.txt'), 'utf8');
  const machine = makeWorld().namespace('worker1');
  machine.netfilter.restore(all.find(({ name }) => name === '26-save.txt')!.text);
  for (const chain of machine.netfilter.table('nat').listChains()) {
    const start = listing.indexOf(`Chain ${chain.name} (`);
    const lines = listing.slice(start, listing.indexOf('\n\n', start)).split('\n').slice(2);
    const described = chain.rules.map((rule) => {
      const columns = [rule.inInterfaceText, rule.outInterfaceText, rule.sourceText, rule.destinationText];
      return [rule.targetName, ...columns, rule.describe(true)].join(' ').trim();
    });
    const listed = lines
      .filter((line) => line.trim() !== '' && !line.startsWith('[exit'))
      .map((line) => {
        const match = /^ *\S+ +\S+ (\S+) +\S+ +-- +(\S+) +(\S+) +(\S+) +(\S+) *(.*)$/.exec(line);
        return (match ?? []).slice(1).join(' ').trim();
      });
    expect(described).toEqual(listed);
  }
});
