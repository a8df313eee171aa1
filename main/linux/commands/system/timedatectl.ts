// timedatectl(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { systemdSocket } from '../../systemd/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { strftime, UTC, ZONE_NAMES, zoneOf } from '../frame/time.ts';
import { SYSTEMD_VERSION } from './systemd-text.ts';

const LOCALTIME = '/etc/localtime';
const ZONEINFO = '/usr/share/zoneinfo';

/** timedatectl(1): status, set-timezone, list-timezones, set-ntp, show. */
export const timedatectl: Program = command(
  {
    short: 'H:M:ap:',
    long: ['no-pager', 'no-ask-password', 'adjust-system-clock', 'monitor', 'all>a', 'property:>p', 'value'],
    usage: '[OPTIONS...] COMMAND ...',
    versionText: SYSTEMD_VERSION,
    hint: () => '',
  },
  async (it) => {
    const [verb = 'status', value] = it.operands;
    const { proc } = it;
    switch (verb) {
      case 'status':
        return it.out.put(status(proc));
      case 'list-timezones':
        return it.out.put(
          ['UTC', ...ZONE_NAMES]
            .toSorted()
            .map((name) => `${name}\n`)
            .join(''),
        );
      case 'set-timezone':
        return setZone(it, value);
      case 'set-ntp':
        return setNtp(it, value);
      case 'show':
        return show(it);
      case 'set-time':
        throw new Failure("drydock: a machine's clock can't be set by itself");
      default:
        throw new Failure(`drydock: timedatectl ${verb} isn't simulated`);
    }
  },
);

function zoneName({ fs }: Process): string {
  try {
    const target = fs.readlink(LOCALTIME);
    return target.slice(target.indexOf('zoneinfo/') + 'zoneinfo/'.length).replace(/^UTC$/, 'Etc/UTC');
  } catch (error) {
    if (error instanceof ErrnoError) return 'Etc/UTC';
    throw error;
  }
}

/** What keeps the clock right: chronyd. */
function ntpActive({ kernel }: Process): boolean | undefined {
  try {
    const unit = kernel.connectService(systemdSocket).status('chronyd');
    return unit.loadState === 'not-found' ? undefined : unit.activeState === 'active';
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}

function status(proc: Process): string {
  const now = proc.clock.now();
  const zone = zoneOf(proc);
  const ntp = ntpActive(proc);
  const rows: [string, string][] = [
    ['Local time', strftime('%a %F %T %Z', now, zone)],
    ['Universal time', strftime('%a %F %T UTC', now, UTC)],
    ['RTC time', strftime('%a %F %T', now, UTC)],
    ['Time zone', `${zoneName(proc)} (${strftime('%Z, %z', now, zone)})`],
    ['System clock synchronized', ntp === true ? 'yes' : 'no'],
    ['NTP service', ntp === undefined ? 'n/a' : ntp ? 'active' : 'inactive'],
    ['RTC in local TZ', 'no'],
  ];
  return rows.map(([label, text]) => `${label.padStart(25)}: ${text}\n`).join('');
}

function requireRoot(it: Invocation, what: string): void {
  if (it.proc.credentials.uid !== 0) throw new Failure(`Failed to set ${what}: Access denied`);
}

async function setZone(it: Invocation, name: string | undefined): Promise<void> {
  const { fs } = it.proc;
  if (name === undefined) throw new Failure('Too few arguments.');
  requireRoot(it, 'time zone');
  if (name !== 'UTC' && name !== 'Etc/UTC' && !ZONE_NAMES.includes(name))
    throw new Failure(`Failed to set time zone: Invalid or not installed time zone '${name}'`);
  fs.mkdir(`${ZONEINFO}/${name}`.replace(/\/[^/]*$/, ''), { recursive: true });
  if (!fs.exists(`${ZONEINFO}/${name}`)) fs.writeFile(`${ZONEINFO}/${name}`, 'TZif2');
  fs.removeAll(LOCALTIME);
  fs.symlink(`..${ZONEINFO}/${name}`, LOCALTIME);
  return Promise.resolve();
}

async function setNtp(it: Invocation, value: string | undefined): Promise<void> {
  const on = /^(?:1|yes|true|on)$/i.test(value ?? '');
  if (!on && !/^(?:0|no|false|off)$/i.test(value ?? ''))
    throw new Failure(`Failed to parse NTP setting "${value ?? ''}": Invalid argument`);
  requireRoot(it, 'ntp');
  const systemd = it.proc.kernel.connectService(systemdSocket);
  if (systemd.status('chronyd').loadState === 'not-found')
    throw new Failure('Failed to set ntp: NTP not supported');
  if (on) systemd.enable('chronyd.service');
  else systemd.disable('chronyd.service');
  await it.proc.interruptible(on ? systemd.start('chronyd') : systemd.stop('chronyd'));
}

async function show(it: Invocation): Promise<void> {
  const { proc, options } = it;
  const ntp = ntpActive(proc);
  const rows: [string, string][] = [
    ['Timezone', zoneName(proc)],
    ['LocalRTC', 'no'],
    ['CanNTP', ntp === undefined ? 'no' : 'yes'],
    ['NTP', ntp === true ? 'yes' : 'no'],
    ['NTPSynchronized', ntp === true ? 'yes' : 'no'],
    ['TimeUSec', strftime('%a %F %T %Z', proc.clock.now(), zoneOf(proc))],
  ];
  const wanted = options.values('p').flatMap((text) => text.split(','));
  for (const [key, value] of rows)
    if (wanted.length === 0 || wanted.includes(key))
      await it.out.line(options.has('value') ? value : `${key}=${value}`);
}
