// yum(8) and rpm(8) as recorded with dnf 4 on a file:// repository of three empty packages.
import { storePath, type CommandPackage } from '../../../main/linux/commands/packages/package.ts';
import { makeRpm } from '../../../main/linux/commands/packages/rpm.ts';
import { makeYum } from '../../../main/linux/commands/packages/yum.ts';
import type { Program } from '../../../main/linux/kernel/index.ts';
import { KNOWN } from './known-differences.ts';
import { replays } from './replay.ts';
import { makeSystemMachine } from './system-machine.ts';

const nothing: Program = () => Promise.resolve(0);

function empty(
  name: string,
  version: string,
  release: string,
  requires: readonly string[] = [],
): CommandPackage {
  const path = `/opt/gw/${name}`;
  return {
    name,
    version,
    release: `${release}.el9`,
    summary: `${name} tool`,
    sizeBytes: 0,
    architecture: 'noarch',
    requires,
    programs: new Map([[path, { name, program: nothing }]]),
  };
}

const PACKAGES = [
  empty('ipset', '7.11', '8'),
  empty('ipvsadm', '1.31', '6', ['ipset']),
  empty('tree', '1.8.0', '10'),
];

async function makeMachine() {
  return makeSystemMachine({
    packages: ['setpriv'],
    programs: {
      '/usr/bin/yum': makeYum(() => PACKAGES),
      '/usr/bin/rpm': makeRpm(() => PACKAGES),
      ...Object.fromEntries(
        PACKAGES.flatMap((pack) => [...pack.programs.keys()].map((path) => [storePath(pack, path), nothing])),
      ),
    },
    files: { '/etc/yum.repos.d/centos.repo': '' },
  });
}

/** Times, rates and sizes; a progress bar counts by its last state. */
function mask(text: string): string {
  return text
    .replaceAll(/[^\n]*\r(?=[^\n])/g, '')
    .replaceAll('\r', '')
    .replaceAll(/^.*\] --- {2}B\/s .*ETA(?=\w)/gm, '')
    .replaceAll(/^( {2}\w+ +: .*\[[= ]*\] \d+\/\d+ )+(?= {2})/gm, '')
    .replaceAll(/\d+:\d\d:\d\d ago on .*\d{4}\./g, 'WHEN')
    .replaceAll(/(Install Date: ).*/g, '$1WHEN')
    .replaceAll(/ +[\d.]+ [kM ]?B\/s \| +[\d.]+ [kM ]?B +\d\d:\d\d +$/gm, ' RATE')
    .replaceAll(/after \d+ ms/g, 'after N ms')
    .replaceAll(/ *\b(?:5\.9 k|12 k|0 {2})$/gm, ' SIZE')
    .replaceAll('/usr/local/bin/yum', '/usr/bin/yum');
}

const REPOSITORY =
  'printf "[baseos]\\nname=BaseOS\\nbaseurl=file:///srv/repo\\nenabled=1\\ngpgcheck=0\\n" >/etc/yum.repos.d/base.repo';

replays({
  folder: 'yum',
  makeMachine,
  mask,
  before: {
    '02-repolist': REPOSITORY,
    '27-repo-unreachable':
      'printf "[bad]\\nname=Bad\\nbaseurl=http://127.0.0.1:9/repo\\nenabled=1\\n" >/etc/yum.repos.d/bad.repo',
  },
  typed: { '08-install-prompt-n': [{ afterMs: 800, keys: 'n\r' }] },
  known: KNOWN.yum,
});

replays({
  folder: 'rpm',
  makeMachine,
  mask,
  before: { '01-qa': `${REPOSITORY}; yum -y -q install ipvsadm` },
  known: KNOWN.rpm,
});
