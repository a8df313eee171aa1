// timedatectl(1)
import type { Program } from '../../kernel/index.ts';
import { command } from '../frame/command.ts';
import { strftime, UTC, zoneOf } from '../frame/time.ts';

/** timedatectl(1), status. */
export const timedatectl: Program = command({ usage: '[OPTIONS...] COMMAND ...' }, async (it) => {
  const { proc } = it;
  const now = proc.clock.now();
  const zone = zoneOf(proc);
  await it.out.put(
    `               Local time: ${strftime('%a %F %T %Z', now, zone)}\n           Universal time: ${strftime('%a %F %T UTC', now, UTC)}\n                 RTC time: ${strftime('%a %F %T', now, UTC)}\n                Time zone: ${zone.offset === 28_800 ? 'Asia/Shanghai' : 'Etc/UTC'} (${strftime('%Z, %z', now, zone)})\nSystem clock synchronized: yes\n              NTP service: active\n          RTC in local TZ: no\n`,
  );
});
