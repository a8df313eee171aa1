// systemctl's tables: units, unit files, timers, dependencies; and `show`.
import type { Process } from '../../kernel/index.ts';
import { formatRelative, type Systemd, type UnitStatus } from '../../systemd/index.ts';
import { globRegex } from '../frame/glob.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { dotOf, enabledColor } from './systemctl-status.ts';
import { BOLD, GREEN, GREY, Paint, RED, table, YELLOW } from './systemd-text.ts';

export interface ListOptions {
  readonly all: boolean;
  readonly failed: boolean;
  readonly types: readonly string[];
  readonly states: readonly string[];
  readonly legend: boolean;
  readonly plain: boolean;
  readonly patterns: readonly string[];
}

/** Whether a name is wanted, by patterns (absent: all) and types. */
function chosen(name: string, { patterns, types }: ListOptions): boolean {
  if (types.length > 0 && !types.some((type) => name.endsWith(`.${type}`))) return false;
  return (
    patterns.length === 0 ||
    patterns.some((pattern) =>
      globRegex(/[*?[]|\.\w+$/.test(pattern) ? pattern : `${pattern}.service`).test(name),
    )
  );
}

export function unitList(proc: Process, systemd: Systemd, options: ListOptions): string {
  const paint = new Paint(proc);
  const states = [...options.states, ...(options.failed ? ['failed'] : [])];
  const rows = systemd.list().filter((unit) => {
    if (!chosen(unit.name, options)) return false;
    if (states.length > 0)
      return [unit.activeState, unit.subState, unit.loadState].some((state) => states.includes(state));
    return options.all || options.patterns.length > 0 || unit.activeState !== 'inactive';
  });
  const text = table(
    paint,
    options.legend
      ? ['', 'UNIT', 'LOAD', 'ACTIVE', 'SUB', 'DESCRIPTION'].map((title, i) => (i === 0 ? ' ' : title))
      : [],
    rows.map((unit) => unitRow(unit, paint)),
  );
  const body = options.legend || rows.length === 0 ? text : bareTable(rows, paint);
  return options.legend ? body + unitLegend(rows.length, paint, options, states.length > 0) : body;
}

function unitRow(unit: UnitStatus, paint: Paint): { text: string; color?: string | undefined }[] {
  const failed = unit.activeState === 'failed';
  const color = failed ? RED : undefined;
  const missing = unit.loadState !== 'loaded';
  const dot = failed || missing ? (paint.on || failed ? '●' : '●') : ' ';
  return [
    { text: dot, color: failed ? RED : missing && dot !== ' ' ? YELLOW : undefined },
    { text: unit.name, color },
    { text: unit.loadState, color: missing ? RED : undefined },
    { text: unit.activeState, color },
    { text: unit.subState, color },
    { text: unit.description },
  ];
}

function bareTable(rows: readonly UnitStatus[], paint: Paint): string {
  const width = (value: (unit: UnitStatus) => string): number =>
    Math.max(0, ...rows.map((unit) => value(unit).length));
  const widths = [
    width((u) => u.name),
    width((u) => u.loadState),
    width((u) => u.activeState),
    width((u) => u.subState),
  ];
  return rows
    .map((unit) => {
      const cells = [unit.name, unit.loadState, unit.activeState, unit.subState].map((text, i) =>
        text.padEnd(widths[i]!),
      );
      const dot = unit.activeState === 'failed' ? paint.color('●', RED) : ' ';
      return `${dot} ${cells.join(' ')} ${unit.description}\n`;
    })
    .join('');
}

function unitLegend(count: number, paint: Paint, options: ListOptions, byState: boolean): string {
  const keys =
    count === 0
      ? ''
      : '\nLOAD   = Reflects whether the unit definition was properly loaded.\nACTIVE = The high-level unit activation state, i.e. generalization of SUB.\nSUB    = The low-level unit activation state, values depend on unit type.\n';
  const counted = `${count} loaded units listed.`;
  if (byState) return `${keys}${counted}\n`;
  if (options.all)
    return `${keys}${paint.color(counted, count === 0 ? RED : BOLD)}\n${paint.color("To show all installed unit files use 'systemctl list-unit-files'.", GREY)}\n`;
  return `${keys}${paint.color(counted, count === 0 ? RED : BOLD)} ${paint.color('Pass --all to see loaded but inactive units, too.', GREY)}\n${paint.color("To show all installed unit files use 'systemctl list-unit-files'.", GREY)}\n`;
}

export function fileList(proc: Process, systemd: Systemd, options: ListOptions): string {
  const paint = new Paint(proc);
  const rows = systemd
    .listFiles()
    .filter(
      ({ name, state }) =>
        chosen(name, options) && (options.states.length === 0 || options.states.includes(state)),
    );
  const text = table(
    paint,
    options.legend ? ['UNIT FILE', 'STATE', 'PRESET'].map((title, i) => (i === 2 ? 'PRESET ' : title)) : [],
    rows.map(({ name, state, preset }) => [
      { text: name },
      { text: state, color: enabledColor(state) },
      { text: preset, color: enabledColor(preset) },
    ]),
  );
  return options.legend ? `${text}\n${rows.length} unit files listed.\n` : text;
}

export function timerList(proc: Process, systemd: Systemd, options: ListOptions): string {
  const paint = new Paint(proc);
  const now = proc.clock.now();
  const zone = zoneOf(proc);
  const at = (ms: number | undefined): string => (ms === undefined ? '-' : strftime('%a %F %T %Z', ms, zone));
  const rows = systemd
    .list()
    .filter((unit) => unit.name.endsWith('.timer') && chosen(unit.name, options))
    .filter((unit) => options.all || unit.activeState === 'active')
    .sort((a, b) => (a.nextMs ?? Infinity) - (b.nextMs ?? Infinity));
  const text = table(
    paint,
    options.legend ? ['NEXT', 'LEFT', 'LAST', 'PASSED', 'UNIT', 'ACTIVATES'] : [],
    rows.map((unit) => [
      { text: at(unit.nextMs) },
      { text: unit.nextMs === undefined ? '-' : `${formatRelative(unit.nextMs - now)} left` },
      { text: at(unit.lastMs) },
      { text: unit.lastMs === undefined ? '-' : `${formatRelative(now - unit.lastMs)} ago` },
      { text: unit.name },
      { text: unit.triggers.join(', ') },
    ]),
  );
  if (!options.legend) return text;
  const counted = paint.color(`${rows.length} timers listed.`, rows.length === 0 ? RED : BOLD);
  return `${text}\n${counted}\n${options.all ? '' : 'Pass --all to see loaded but inactive timers, too.\n'}`;
}

/** The tree of what a unit pulls in, or (`reverse`) of what pulls it in. */
export function dependencyTree(
  proc: Process,
  systemd: Systemd,
  name: string,
  options: { readonly reverse: boolean; readonly all: boolean; readonly plain: boolean },
): string {
  const paint = new Paint(proc);
  const lines = [name];
  const kinds = ['Requires', 'Wants', 'BindsTo'];
  const related = (unit: string): string[] => {
    if (options.reverse)
      return systemd
        .listFiles()
        .map((file) => file.name)
        .filter(
          (other) =>
            other !== unit && kinds.some((kind) => systemd.status(other).relations[kind]?.includes(unit)),
        );
    const { relations, name: id } = systemd.status(unit);
    const named = kinds.flatMap((kind) => relations[kind] ?? []);
    const defaults = id.endsWith('.service') ? ['system.slice', 'sysinit.target'] : [];
    return Array.from(new Set([...named, ...defaults])).sort(byKind);
  };
  const walk = (unit: string, indent: string, path: readonly string[]): void => {
    const children = related(unit);
    for (const [index, child] of children.entries()) {
      const status = systemd.status(child);
      if (status.loadState === 'not-found') continue;
      const last = index === children.length - 1;
      const dot = dotOf(paint, status);
      lines.push(options.plain ? `  ${child}` : `${dot} ${indent}${last ? '└─' : '├─'}${child}`);
      const opens = options.all || child.endsWith('.target');
      if (opens && !path.includes(child)) walk(child, `${indent}${last ? '  ' : '│ '}`, [...path, child]);
    }
  };
  walk(name, '', [name]);
  return lines.map((line) => `${line}\n`).join('');
}

/** Targets come after what does the work. */
function byKind(a: string, b: string): number {
  const rank = (name: string): number => Number(name.endsWith('.target'));
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

/** `systemctl show`: the properties that there are, in systemd's order. */
export function properties(proc: Process, unit: UnitStatus): [string, string][] {
  const zone = zoneOf(proc);
  const at = (ms: number | undefined): string => (ms === undefined ? '' : strftime('%a %F %T %Z', ms, zone));
  const missing = unit.loadState === 'not-found';
  const isService = unit.name.endsWith('.service') && !missing;
  const { result } = unit;
  const service: [string, string][] = isService
    ? [
        ['Type', unit.type],
        ['Restart', unit.restartPolicy],
        ['MainPID', String(unit.mainPid)],
        ['ControlPID', '0'],
        ['Result', unit.serviceResult],
        ['NRestarts', String(unit.restarts)],
        ['ExecMainStartTimestamp', at(result?.startMs ?? unit.sinceMs)],
        ['ExecMainExitTimestamp', at(unit.mainPid === 0 ? result?.endMs : undefined)],
        ['ExecMainPID', String(unit.mainPid === 0 ? (result?.pid ?? 0) : unit.mainPid)],
        [
          'ExecMainCode',
          String(unit.mainPid === 0 && result !== undefined ? (result.code === 'exited' ? 1 : 2) : 0),
        ],
        ['ExecMainStatus', String(unit.mainPid === 0 ? (result?.status ?? 0) : 0)],
        ['ControlGroup', unit.pids.length > 0 ? unit.cgroup : ''],
        ['MemoryCurrent', unit.pids.length > 0 ? String(unit.memoryBytes) : '[not set]'],
        ['TasksCurrent', unit.pids.length > 0 ? String(unit.pids.length) : '[not set]'],
      ]
    : [];
  const relations = Object.entries(unit.relations)
    .filter(([, names]) => names.length > 0)
    .map(([kind, names]): [string, string] => [kind, names.join(' ')]);
  return [
    ...service,
    ['Id', unit.name],
    ['Names', unit.name],
    ...relations,
    ...(unit.documentation.length > 0
      ? [['Documentation', unit.documentation.join(' ')] as [string, string]]
      : []),
    ['Description', unit.description],
    ['LoadState', unit.loadState],
    ['ActiveState', unit.activeState],
    ['SubState', unit.subState],
    ...(missing
      ? []
      : ([
          ['FragmentPath', unit.fragmentPath],
          ['DropInPaths', unit.dropIns.join(' ')],
          ['UnitFileState', unit.enabled],
          ['UnitFilePreset', unit.vendorPreset],
        ] as [string, string][])),
    ['StateChangeTimestamp', at(unit.sinceMs)],
    ['ActiveEnterTimestamp', at(unit.activeState === 'active' ? unit.sinceMs : undefined)],
    ['CanStart', missing ? 'no' : 'yes'],
    ['CanStop', missing ? 'no' : 'yes'],
    ['NeedDaemonReload', unit.needsReload ? 'yes' : 'no'],
  ];
}

/** Colour of the state of a whole machine. */
export const STATE_COLORS: Readonly<Record<string, string>> = { running: GREEN, degraded: RED };
