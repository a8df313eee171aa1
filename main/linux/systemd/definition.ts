// The unit file of a service that comes with the machine.
import type { UnitDefinition } from './systemd.ts';

export function unitFileOf(definition: UnitDefinition): string {
  const lines = ['[Unit]', `Description=${definition.description}`];
  const put = (key: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') lines.push(`${key}=${value}`);
  };
  put('Documentation', definition.documentation);
  put('After', definition.after?.join(' '));
  put('Wants', definition.wants?.join(' '));
  if (definition.startLimitBurst === 0) lines.push('StartLimitIntervalSec=0');
  else put('StartLimitBurst', definition.startLimitBurst?.toString());
  lines.push('', '[Service]');
  if (definition.type !== 'simple') put('Type', definition.type);
  put('User', definition.user);
  for (const [name, value] of Object.entries(definition.env ?? {}))
    lines.push(`Environment=${/[\s"]/.test(value) ? `"${name}=${value}"` : `${name}=${value}`}`);
  lines.push(`ExecStart=${definition.execStart.map(quoted).join(' ')}`);
  put('ExecReload', definition.execReload);
  if (definition.restart !== 'no') put('Restart', definition.restart);
  put('RestartSec', seconds(definition.restartDelayMs));
  put('TimeoutStopSec', seconds(definition.stopTimeoutMs));
  put('KillSignal', definition.killSignal);
  if (definition.staticIn === undefined) lines.push('', '[Install]', 'WantedBy=multi-user.target');
  return `${lines.join('\n')}\n`;
}

function seconds(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined;
  return ms % 1000 === 0 ? String(ms / 1000) : `${ms}ms`;
}

function quoted(word: string): string {
  return /[\s"'\\$%]/.test(word) ? `"${word.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%')}"` : word;
}
