// What `systemctl status` says of a unit. systemctl(1).
import type { Process } from '../../kernel/index.ts';
import { exitStatusName, formatRelative, journalSocket, type UnitStatus } from '../../systemd/index.ts';
import { parseSignal } from '../../kernel/index.ts';
import { strftime, zoneOf } from '../frame/time.ts';
import { entryLine } from './journal-text.ts';
import { GREEN, GREY, Paint, RED, YELLOW } from './systemd-text.ts';

/** DefaultTasksMax= of a machine of this size. */
const TASKS_MAX = 7055;

const ENABLED_COLORS: Readonly<Record<string, string>> = {
  enabled: GREEN,
  'enabled-runtime': GREEN,
  disabled: YELLOW,
  masked: RED,
  'masked-runtime': RED,
};

/** The dot before a unit's name. */
export function dotOf(paint: Paint, { activeState, loadState }: UnitStatus): string {
  if (loadState === 'masked' || loadState === 'bad-setting') return paint.color('○', undefined);
  if (activeState === 'active') return paint.color('●', GREEN);
  if (activeState === 'reloading') return paint.color('↻', GREEN);
  if (activeState === 'failed') return paint.color('×', RED);
  return activeState === 'inactive' ? '○' : '●';
}

/** `disabled` in its colour. */
export function enabledColor(state: string): string | undefined {
  return ENABLED_COLORS[state];
}

function titleOf({ name, description }: UnitStatus): string {
  return description === name || description === '' ? name : `${name} - ${description}`;
}

/** Everything but the log. */
export function statusText(proc: Process, unit: UnitStatus): string {
  const paint = new Paint(proc);
  const lines = [
    `${dotOf(paint, unit)} ${titleOf(unit)}`,
    loadedLine(proc, paint, unit),
    ...dropInLines(proc, paint, unit),
    activeLine(proc, paint, unit),
    ...unmetLines(proc, unit),
  ];
  const row = (label: string, text: string): void => void lines.push(`${label.padStart(11)}: ${text}`);
  if (unit.name.endsWith('.timer') && unit.activeState === 'active')
    row('Trigger', unit.nextMs === undefined ? 'n/a' : momentText(proc, unit.nextMs, 'left'));
  for (const [index, name] of unit.triggers.entries())
    lines.push(`${index === 0 ? '   Triggers: ' : ' '.repeat(13)}● ${name}`);
  if (unit.triggeredBy.length > 0)
    row('TriggeredBy', unit.triggeredBy.map((name) => `● ${name}`).join('\n             '));
  for (const [index, url] of unit.documentation.entries())
    lines.push(`${index === 0 ? '       Docs: ' : ' '.repeat(13)}${paint.link(url, url)}`);
  processLines(proc, paint, unit, lines, row);
  return lines.map((line) => `${line}\n`).join('');
}

function loadedLine(proc: Process, paint: Paint, unit: UnitStatus): string {
  const host = proc.kernel.hostname;
  if (unit.loadState === 'not-found') return `     Loaded: not-found (Reason: Unit ${unit.name} not found.)`;
  if (unit.loadState === 'masked')
    return `     Loaded: ${paint.color('masked', RED)} (Reason: Unit ${unit.name} is masked.)`;
  if (unit.loadState === 'bad-setting')
    return `     Loaded: ${paint.color('bad-setting', RED)} (Reason: Unit ${unit.name} has a bad unit file setting.)`;
  const path = paint.link(`file://${host}${unit.fragmentPath}`, unit.fragmentPath);
  const state = paint.color(unit.enabled, enabledColor(unit.enabled));
  if (unit.enabled === 'static' || unit.enabled === 'alias')
    return `     Loaded: loaded (${path}; ${state}${paint.color('', GREEN)})`;
  const preset = paint.color(unit.vendorPreset, enabledColor(unit.vendorPreset));
  return `     Loaded: loaded (${path}; ${state}; preset: ${preset})`;
}

function dropInLines(proc: Process, paint: Paint, { dropIns }: UnitStatus): string[] {
  const host = proc.kernel.hostname;
  const directories = Array.from(new Set(dropIns.map((path) => path.slice(0, path.lastIndexOf('/')))));
  return directories.flatMap((directory, index) => {
    const files = dropIns
      .filter((path) => path.startsWith(`${directory}/`))
      .map((path) => paint.link(`file://${host}${path}`, path.slice(path.lastIndexOf('/') + 1)));
    return [
      `${index === 0 ? '    Drop-In: ' : ' '.repeat(13)}${directory}`,
      `             └─${files.join(', ')}`,
    ];
  });
}

function activeLine(proc: Process, paint: Paint, unit: UnitStatus): string {
  const { activeState, subState, serviceResult } = unit;
  const failed = activeState === 'failed';
  const result = failed || (subState === 'auto-restart' && serviceResult !== 'success');
  const sub = failed ? '' : ` (${subState})`;
  const color = failed
    ? RED
    : activeState === 'active' || activeState === 'reloading'
      ? GREEN
      : activeState === 'inactive'
        ? undefined
        : YELLOW;
  const since = unit.sinceMs === undefined ? '' : ` since ${momentText(proc, unit.sinceMs, 'ago')}`;
  const line = `     Active: ${paint.color(activeState + sub, color)}${result ? ` (Result: ${serviceResult})` : ''}${since}`;
  const ended = unit.durationMs !== undefined && activeState !== 'active' && activeState !== 'activating';
  return ended ? `${line}\n   Duration: ${spanText(unit.durationMs!)}` : line;
}

function unmetLines(proc: Process, { unmet }: UnitStatus): string[] {
  if (unmet === undefined) return [];
  return [
    `  Condition: start condition failed at ${momentText(proc, unmet.atMs, 'ago')}`,
    `             └─ ${unmet.text} was not met`,
  ];
}

/** `Fri 2026-11-20 16:53:35 UTC; 3s ago` */
function momentText(proc: Process, atMs: number, word: 'ago' | 'left'): string {
  const now = proc.clock.now();
  const distance = word === 'ago' ? now - atMs : atMs - now;
  return `${strftime('%a %F %T %Z', atMs, zoneOf(proc))}; ${formatRelative(distance)}${distance > 0 ? ` ${word}` : ''}`;
}

/** `131ms`, `1min 2.500s`, `2h 3min 4.000s` */
function spanText(ms: number): string {
  const whole = Math.round(ms);
  if (whole < 1000) return `${whole}ms`;
  const parts: string[] = [];
  let rest = whole;
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const) {
    if (rest < size) continue;
    parts.push(`${Math.floor(rest / size)}${unit}`);
    rest %= size;
  }
  if (rest > 0) parts.push(`${(rest / 1000).toFixed(3)}s`);
  return parts.join(' ');
}

function processLines(
  proc: Process,
  paint: Paint,
  unit: UnitStatus,
  lines: string[],
  row: (label: string, text: string) => void,
): void {
  const { kernel } = proc;
  const running = unit.mainPid !== 0;
  const ended = (code: string, status: number): string =>
    code === 'exited'
      ? `(code=exited, status=${status}/${exitStatusName(status)})`
      : `(code=killed, signal=${signalText(status)})`;
  const painted = (code: string, status: number): string =>
    paint.color(ended(code, status), code === 'exited' && status === 0 ? undefined : RED);
  for (const { label, command, pid, code, status } of unit.controls)
    row('Process', `${pid} ${label}=${command} ${painted(code, status)}`);
  const { result } = unit;
  if (result !== undefined && !running)
    row(
      'Process',
      `${result.pid} ExecStart=${unit.execStart.join(' ')} ${painted(result.code, result.status)}`,
    );
  if (running) {
    const command = kernel.listProcesses().find(({ pid }) => pid === unit.mainPid)?.command ?? 'n/a';
    row('Main PID', `${unit.mainPid} (${command})`);
  } else if (result !== undefined) row('Main PID', `${result.pid} ${ended(result.code, result.status)}`);
  if (unit.statusText !== undefined && unit.activeState === 'active')
    row('Status', paint.color(`"${unit.statusText}"`, '\u001b[0;1;36m'));
  const usage = unit.cgroup === '' ? undefined : kernel.cgroupUsage(unit.cgroup);
  if (unit.pids.length > 0) {
    row('Tasks', `${unit.pids.length}${paint.color(` (limit: ${TASKS_MAX})`, GREY)}`);
    row('Memory', sizeText(unit.memoryBytes));
  }
  if (usage !== undefined && (unit.pids.length > 0 || result !== undefined))
    row('CPU', spanText(usage.cpuMs));
  if (unit.pids.length === 0) return;
  row('CGroup', unit.cgroup);
  const processes = kernel.listProcesses();
  for (const [index, pid] of unit.pids.entries()) {
    const info = processes.find((one) => one.pid === pid);
    const shown = (info?.argv ?? [])
      .map((arg) => (arg === '' || /[\s"'\\$`]/.test(arg) ? `"${arg}"` : arg))
      .join(' ');
    const branch = index === unit.pids.length - 1 ? '└─' : '├─';
    lines.push(`             ${branch}${paint.color(`${pid} ${shown}`, GREY)}`);
  }
}

function signalText(number: number): string {
  return parseSignal(String(number))?.slice(3) ?? String(number);
}

/** `184.0K`, `2.5M` */
function sizeText(bytes: number): string {
  for (const [unit, size] of [
    ['G', 1024 ** 3],
    ['M', 1024 ** 2],
    ['K', 1024],
  ] as const)
    if (bytes >= size) return `${(bytes / size).toFixed(1)}${unit}`;
  return `${bytes}B`;
}

/** The last lines of the unit's log, with an empty line before them. */
export function logText(proc: Process, unit: UnitStatus, lines: number, format: string): string {
  if (lines === 0) return '';
  const journal = proc.kernel.connectService(journalSocket);
  const entries = journal.query({ units: [unit.name], lines, afterSequence: unit.logStart });
  const paint = new Paint(proc);
  const zone = zoneOf(proc);
  return entries.length === 0
    ? ''
    : `\n${entries.map((entry) => `${entryLine(entry, format, { zone, color: paint.on })}\n`).join('')}`;
}
