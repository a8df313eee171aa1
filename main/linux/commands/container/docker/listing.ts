// docker's tables: ps, images, history, stats, top, port, network ls, volume ls, system df.
import { decimalSize, humanAge, shortId, splitReference } from '../runtime.ts';
import { CliError, parseFlags, type Flags } from './flags.ts';
import { makeTemplate } from './template.ts';
import { findShown, listShown, type Shown, type World } from './world.ts';

type Row = Readonly<Record<string, string>>;

/** Prints rows as a table, or as --format says. `columns` are field and title. */
export async function printRows(
  world: World,
  flags: Flags,
  columns: readonly (readonly [field: string, title: string])[],
  rows: readonly Row[],
): Promise<void> {
  const format = flags.value('format') ?? 'table';
  if (format === 'json') {
    await world.print(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return;
  }
  if (format === 'table') {
    await world.print(
      tabulate([
        columns.map(([, title]) => title),
        ...rows.map((row) => columns.map(([field]) => row[field] ?? '')),
      ]),
    );
    return;
  }
  const isTable = format.startsWith('table ');
  const text = (isTable ? format.slice(6) : format).replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const template = makeTemplate(text);
  const titles = Object.fromEntries([
    ...Object.keys(rows[0] ?? {}).map((key) => [
      key,
      key.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toUpperCase(),
    ]),
    ...columns,
  ]) as Row;
  const lines = [...(isTable ? [titles] : []), ...rows].map(template);
  await world.print(
    isTable ? tabulate(lines.map((line) => line.split('\t'))) : lines.map((line) => `${line}\n`).join(''),
  );
}

/** Go's tabwriter with a least width of 10 and three blanks between; the last column is not padded unless it's empty. */
export function tabulate(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row
      .slice(0, -1)
      .forEach(
        (cell, index) => (widths[index] = Math.max(widths[index] ?? 0, Array.from(cell).length + 3, 10)),
      );
  return rows
    .map(
      (row) =>
        `${row.map((cell, index) => (index === row.length - 1 ? cell : cell + ' '.repeat(widths[index]! - Array.from(cell).length))).join('')}\n`,
    )
    .join('');
}

function commandText(argv: readonly string[], isFull: boolean): string {
  const words = argv.map((word) =>
    /[\s'"$&;|<>()]/.test(word) || word === '' ? `'${word.replaceAll("'", "'\"'\"'")}'` : word,
  );
  const text = words.join(' ');
  return isFull || text.length <= 20 ? `"${text}"` : `"${text.slice(0, 19)}…"`;
}

function statusText(shown: Shown, nowMs: number): string {
  if (shown.state === 'created') return 'Created';
  if (shown.state === 'exited')
    return `Exited (${shown.exitCode}) ${humanAge(nowMs - (shown.finishedMs ?? nowMs))} ago`;
  return `Up ${humanAge(nowMs - (shown.startedMs ?? nowMs))}${shown.state === 'paused' ? ' (Paused)' : ''}`;
}

/** `0.0.0.0:8080->80/tcp, :::8080->80/tcp`; exposed ones without a host's port as `80/tcp`. */
function portsText({ own, state }: Shown): string {
  if (own === undefined || state !== 'running' || own.spec.network === 'host') return '';
  const published = own.spec.ports.flatMap(({ hostIp, hostPort, containerPort, protocol }) =>
    hostIp === '0.0.0.0'
      ? [`0.0.0.0:${hostPort}->${containerPort}/${protocol}`, `:::${hostPort}->${containerPort}/${protocol}`]
      : [`${hostIp}:${hostPort}->${containerPort}/${protocol}`],
  );
  const taken = new Set(own.spec.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  return [...published, ...(own.imageConfig.exposedPorts ?? []).filter((port) => !taken.has(port))].join(
    ', ',
  );
}

export async function ps(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(
    `${world.program} ps`,
    args,
    'a,all q,quiet no-trunc f,filter= format= n,last= l,latest s,size',
  );
  const nowMs = world.proc.clock.now();
  const filters = flags
    .values('filter')
    .map((each): [string, string] => [each.split('=', 1)[0]!, each.slice(each.indexOf('=') + 1)]);
  for (const [key] of filters)
    if (
      ![
        'status',
        'name',
        'id',
        'label',
        'ancestor',
        'exited',
        'network',
        'publish',
        'volume',
        'since',
        'before',
        'health',
      ].includes(key)
    )
      throw new CliError(`Error response from daemon: Invalid filter '${key}'`);
  const limit = flags.has('latest') ? 1 : Number(flags.value('last') ?? -1);
  const wantsAll =
    flags.has('all') || limit > 0 || filters.some(([key]) => key === 'status' || key === 'exited');
  const keys = new Set(filters.map(([key]) => key));
  const shown = listShown(world)
    .filter((one) => wantsAll || one.state === 'running' || one.state === 'paused')
    .filter((one) =>
      [...keys].every((key) =>
        filters.filter(([each]) => each === key).some(([, value]) => matches(one, key, value)),
      ),
    )
    .slice(0, limit > 0 ? limit : undefined);
  const isFull = flags.has('no-trunc');
  if (flags.has('quiet')) {
    await world.print(shown.map(({ id }) => `${isFull ? id : id.slice(0, 12)}\n`).join(''));
    return 0;
  }
  const rows = shown.map((one): Row => ({
    ID: isFull ? one.id : one.id.slice(0, 12),
    Image: one.image,
    Command: commandText(one.argv, isFull),
    CreatedAt: `${new Date(Math.floor(one.createdMs)).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`,
    RunningFor: `${humanAge(nowMs - one.createdMs)} ago`,
    Status: statusText(one, nowMs),
    Ports: portsText(one),
    Names: one.name,
    State: one.state,
    Size: `${decimalSize(0)} (virtual ${decimalSize(world.images.status(one.imageId)?.sizeBytes ?? 0)})`,
    Labels: Object.entries(one.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Mounts: (one.own?.spec.mounts ?? []).map(({ source }) => source).join(','),
    Networks: one.own?.spec.network ?? '',
    LocalVolumes: '0',
  }));
  await printRows(
    world,
    flags,
    [
      ['ID', 'CONTAINER ID'],
      ['Image', 'IMAGE'],
      ['Command', 'COMMAND'],
      ['RunningFor', 'CREATED'],
      ['Status', 'STATUS'],
      ['Ports', 'PORTS'],
      ['Names', 'NAMES'],
      ...(flags.has('size') ? [['Size', 'SIZE'] as const] : []),
    ],
    rows,
  );
  return 0;
}

function matches(one: Shown, key: string, value: string): boolean {
  switch (key) {
    case 'status':
      return one.state === value;
    case 'name':
      return new RegExp(value.replace(/^\^?\//, '^')).test(one.name);
    case 'id':
      return one.id.startsWith(value);
    case 'exited':
      return one.state === 'exited' && one.exitCode === Number(value);
    case 'label': {
      const [name = '', wanted] = value.split(/=(.*)/s);
      return wanted === undefined ? name in one.labels : one.labels[name] === wanted;
    }
    case 'ancestor':
      return (
        one.image === value || one.image.split(':')[0] === value || one.imageId.startsWith(`sha256:${value}`)
      );
    case 'network':
      return one.own?.spec.network === value;
    case 'publish':
      return one.own?.spec.ports.some(({ hostPort }) => String(hostPort) === value.split('/')[0]) === true;
    case 'volume':
      return one.own?.spec.mounts.some(({ source, target }) => source === value || target === value) === true;
    default:
      return true;
  }
}

export async function images(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(
    `${world.program} images`,
    args,
    'a,all q,quiet no-trunc digests f,filter= format=',
  );
  const [wanted] = flags.operands;
  const nowMs = world.proc.clock.now();
  const dangling = flags
    .values('filter')
    .find((each) => each.startsWith('dangling='))
    ?.slice(9);
  const pattern =
    wanted ??
    flags
      .values('filter')
      .find((each) => each.startsWith('reference='))
      ?.slice(10);
  const rows = world.images.list().flatMap((image) =>
    (image.repoTags.length > 0 ? image.repoTags : ['<none>:<none>']).map((reference) => {
      const { repository, tag } = splitReference(reference, true);
      const createdMs = image.image.created === undefined ? undefined : Date.parse(image.image.created);
      return {
        createdMs: createdMs ?? 0,
        row: {
          Repository: repository,
          Tag: tag,
          Digest: image.repoDigests[0]?.split('@')[1] ?? '<none>',
          ID: flags.has('no-trunc') ? image.id : shortId(image.id, 12),
          CreatedSince: createdMs === undefined ? 'N/A' : `${humanAge(Math.max(0, nowMs - createdMs))} ago`,
          CreatedAt: image.image.created ?? 'N/A',
          Size: decimalSize(image.sizeBytes),
        },
      };
    }),
  );
  const glob =
    pattern === undefined
      ? undefined
      : new RegExp(
          `^${pattern
            .replaceAll(/[.+^${}()|\\]/g, '\\$&')
            .replaceAll('*', '[^/]*')
            .replaceAll('?', '.')}$`,
        );
  const shown = rows
    .filter(
      ({ row }) =>
        glob === undefined || glob.test(row.Repository) || glob.test(`${row.Repository}:${row.Tag}`),
    )
    .filter(({ row }) => dangling === undefined || (row.Repository === '<none>') === (dangling === 'true'))
    .toSorted((a, b) => b.createdMs - a.createdMs)
    .map(({ row }) => row);
  if (flags.has('quiet')) {
    await world.print([...new Set(shown.map(({ ID }) => ID))].map((id) => `${id}\n`).join(''));
    return 0;
  }
  await printRows(
    world,
    flags,
    [
      ['Repository', 'REPOSITORY'],
      ['Tag', 'TAG'],
      ...(flags.has('digests') ? [['Digest', 'DIGEST'] as const] : []),
      ['ID', 'IMAGE ID'],
      ['CreatedSince', 'CREATED'],
      ['Size', 'SIZE'],
    ],
    shown,
  );
  return 0;
}

export async function history(
  world: World,
  args: readonly string[],
  find: (name: string) => ReturnType<World['images']['status']>,
): Promise<number> {
  const flags = parseFlags(`${world.program} history`, args, 'q,quiet no-trunc H,human format=');
  const name = flags.operands[0] ?? '';
  const image = find(name);
  if (image === undefined)
    throw new CliError(
      `Error response from daemon: No such image: ${name.includes(':') ? name : `${name}:latest`}`,
    );
  const nowMs = world.proc.clock.now();
  const steps = image.image.origin?.history ?? [
    {
      createdMs: Date.parse(image.image.created ?? '1970-01-01T00:00:00Z'),
      by: `/bin/sh -c #(nop)  CMD ${JSON.stringify(image.image.command ?? [])}`,
      sizeBytes: image.sizeBytes,
    },
  ];
  const isFull = flags.has('no-trunc');
  const rows = steps.map((step, index): Row => ({
    ID: index === 0 ? (isFull ? image.id : shortId(image.id, 12)) : '<missing>',
    CreatedSince: `${humanAge(Math.max(0, nowMs - step.createdMs))} ago`,
    CreatedBy: isFull || step.by.length <= 45 ? step.by : `${step.by.slice(0, 44)}…`,
    Size: decimalSize(step.sizeBytes),
    Comment: '',
  }));
  if (flags.has('quiet')) await world.print(rows.map(({ ID }) => `${ID}\n`).join(''));
  else
    await printRows(
      world,
      flags,
      [
        ['ID', 'IMAGE'],
        ['CreatedSince', 'CREATED'],
        ['CreatedBy', 'CREATED BY'],
        ['Size', 'SIZE'],
        ['Comment', 'COMMENT'],
      ],
      rows,
    );
  return 0;
}

/** `312KiB`, `5.784GiB`: binary units with four digits. */
function binarySize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}

export async function stats(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} stats`, args, 'a,all no-stream no-trunc format=');
  const { proc } = world;
  const kernel = proc.kernel;
  const chosen = (): Shown[] =>
    flags.operands.length > 0
      ? flags.operands.map((name) => findShown(world, name))
      : listShown(world).filter(({ state }) => flags.has('all') || state === 'running');
  chosen();
  for (;;) {
    const before = new Map(chosen().map((one) => [one.id, kernel.cgroupUsage(one.cgroup)?.cpuMs ?? 0]));
    const startMs = proc.clock.now();
    await proc.sleep(1000);
    const tookMs = Math.max(1, proc.clock.now() - startMs);
    const rows = chosen().map((one): Row => {
      const usage = kernel.cgroupUsage(one.cgroup) ?? { cpuMs: 0, memoryBytes: 0, processes: 0 };
      const limit = one.own?.spec.memoryMaxBytes ?? kernel.memoryBytes;
      const counters = one.own?.net?.links.get('eth0');
      const network =
        counters === undefined
          ? '0B / 0B'
          : `${decimalSize(statOf(counters, 'rxBytes'))} / ${decimalSize(statOf(counters, 'txBytes'))}`;
      return {
        ID: flags.has('no-trunc') ? one.id : one.id.slice(0, 12),
        Container: one.id,
        Name: one.name,
        CPUPerc: `${(((usage.cpuMs - (before.get(one.id) ?? 0)) / tookMs) * 100).toFixed(2)}%`,
        MemUsage: `${binarySize(usage.memoryBytes)} / ${binarySize(limit)}`,
        MemPerc: `${((usage.memoryBytes / limit) * 100).toFixed(2)}%`,
        NetIO: network,
        BlockIO: '0B / 0B',
        PIDs: String(usage.processes),
      };
    });
    if (!flags.has('no-stream')) await world.print('\u001b[2J\u001b[H');
    await printRows(
      world,
      flags,
      [
        ['ID', 'CONTAINER ID'],
        ['Name', 'NAME'],
        ['CPUPerc', 'CPU %'],
        ['MemUsage', 'MEM USAGE / LIMIT'],
        ['MemPerc', 'MEM %'],
        ['NetIO', 'NET I/O'],
        ['BlockIO', 'BLOCK I/O'],
        ['PIDs', 'PIDS'],
      ],
      rows,
    );
    if (flags.has('no-stream')) return 0;
  }
}

function statOf(link: object, name: string): number {
  const value = (link as Record<string, unknown>)[name];
  return typeof value === 'number' ? value : 0;
}

export async function top(world: World, args: readonly string[]): Promise<number> {
  const shown = findShown(world, args[0] ?? '');
  if (shown.state !== 'running')
    throw new CliError(`Error response from daemon: Container ${shown.id} is not running`);
  const { kernel } = world.proc;
  const rows = kernel
    .listProcesses()
    .filter(({ cgroup }) => cgroup === shown.cgroup || cgroup.startsWith(`${shown.cgroup}/`))
    .map((each) => {
      const time = new Date(Math.floor(each.startMs)).toISOString().slice(11, 16);
      const cpu = new Date(Math.floor(each.cpuMs)).toISOString().slice(11, 19);
      return [
        userName(world, each.credentials.uid),
        String(each.pid),
        String(each.parentPid),
        '0',
        time,
        each.tty?.replace('/dev/', '') ?? '?',
        cpu,
        each.argv.join(' '),
      ];
    });
  const lines = [['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'], ...rows];
  await world.print(
    lines
      .map(
        (row) =>
          `${row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(20))).join('')}\n`,
      )
      .join(''),
  );
  return 0;
}

function userName({ proc }: World, uid: number): string {
  const accounts = proc.fs.exists('/etc/passwd') ? proc.fs.readText('/etc/passwd').split('\n') : [];
  return accounts.find((line) => line.split(':')[2] === String(uid))?.split(':')[0] ?? String(uid);
}

export async function port(world: World, args: readonly string[]): Promise<number> {
  const shown = findShown(world, args[0] ?? '');
  const wanted =
    args[1]?.includes('/') === true ? args[1] : args[1] === undefined ? undefined : `${args[1]}/tcp`;
  const ports = (shown.own?.spec.ports ?? []).filter(
    ({ containerPort, protocol }) => wanted === undefined || wanted === `${containerPort}/${protocol}`,
  );
  if (wanted !== undefined && ports.length === 0)
    throw new CliError(`Error: No public port '${wanted}' published for ${args[0]}`);
  const running = shown.state === 'running' ? ports : [];
  for (const { hostIp, hostPort, containerPort, protocol } of running) {
    const head = wanted === undefined ? `${containerPort}/${protocol} -> ` : '';
    await world.print(
      `${head}${hostIp}:${hostPort}\n${hostIp === '0.0.0.0' ? `${head}:::${hostPort}\n` : ''}`,
    );
  }
  return 0;
}
