// The unit files that systemd itself brings: targets and slices that services name, and which services are on by default.
import type { LayerFile } from '../kernel/index.ts';

const DIRECTORY = '/usr/lib/systemd/system';

/** Name, description, what it requires, what it comes after, whether it may be isolated. */
const TARGETS: readonly (readonly [
  string,
  string,
  { requires?: string; wants?: string; after?: string; isolate?: boolean },
])[] = [
  ['sysinit.target', 'System Initialization', { wants: 'local-fs.target swap.target' }],
  [
    'basic.target',
    'Basic System',
    {
      requires: 'sysinit.target',
      wants: 'sockets.target timers.target paths.target slices.target',
      after: 'sysinit.target sockets.target paths.target slices.target',
    },
  ],
  [
    'multi-user.target',
    'Multi-User System',
    { requires: 'basic.target', after: 'basic.target rescue.service rescue.target', isolate: true },
  ],
  [
    'graphical.target',
    'Graphical Interface',
    { requires: 'multi-user.target', after: 'multi-user.target', isolate: true },
  ],
  ['rescue.target', 'Rescue Mode', { requires: 'sysinit.target', after: 'sysinit.target', isolate: true }],
  ['emergency.target', 'Emergency Mode', { isolate: true }],
  ['local-fs.target', 'Local File Systems', {}],
  ['remote-fs.target', 'Remote File Systems', {}],
  ['swap.target', 'Swaps', {}],
  ['sockets.target', 'Socket Units', {}],
  ['timers.target', 'Timer Units', {}],
  ['paths.target', 'Path Units', {}],
  ['slices.target', 'Slice Units', {}],
  ['network-pre.target', 'Preparation for Network', {}],
  ['network.target', 'Network', { after: 'network-pre.target' }],
  ['network-online.target', 'Network is Online', { after: 'network.target' }],
  ['nss-lookup.target', 'Host and Network Name Lookups', {}],
  ['nss-user-lookup.target', 'User and Group Name Lookups', {}],
  ['time-sync.target', 'System Time Synchronized', {}],
  ['time-set.target', 'System Time Set', {}],
  ['getty.target', 'Login Prompts', {}],
  ['shutdown.target', 'System Shutdown', {}],
];

const SLICES: Readonly<Record<string, string>> = {
  'system.slice': 'System Slice',
  'user.slice': 'User and Session Slice',
};

/** What an installation enables; everything else stays off until somebody enables it. */
const PRESET = `# Services that are on from the start.

enable sshd.service
enable crond.service
enable chronyd.service
enable rsyslog.service
enable getty@.service
enable containerd.service
enable kubelet.service
enable docker.service
enable remote-fs.target
`;

/** Files by path, for a machine's base layer. */
export function baseUnitFiles(): Map<string, LayerFile> {
  const files = new Map<string, LayerFile>();
  for (const [name, description, { requires, wants, after, isolate }] of TARGETS) {
    const lines = ['[Unit]', `Description=${description}`, 'Documentation=man:systemd.special(7)'];
    if (requires !== undefined) lines.push(`Requires=${requires}`);
    if (wants !== undefined) lines.push(`Wants=${wants}`);
    if (after !== undefined) lines.push(`After=${after}`);
    if (isolate === true) lines.push('AllowIsolate=yes');
    files.set(`${DIRECTORY}/${name}`, { type: 'file', content: `${lines.join('\n')}\n` });
  }
  for (const [name, description] of Object.entries(SLICES))
    files.set(`${DIRECTORY}/${name}`, {
      type: 'file',
      content: `[Unit]\nDescription=${description}\nDocumentation=man:systemd.special(7)\n`,
    });
  files.set(`${DIRECTORY}/default.target`, { type: 'symlink', target: 'multi-user.target' });
  files.set('/usr/lib/systemd/system-preset/90-default.preset', { type: 'file', content: PRESET });
  files.set('/usr/lib/systemd/system-preset/99-default-disable.preset', {
    type: 'file',
    content: 'disable *\n',
  });
  return files;
}
