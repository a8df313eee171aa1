// What unit files ask for is what happens: types, control processes, environments, relations, timers, links.
import { expect, test } from 'vitest';

import { parseCalendar, parseTimeSpan } from '../../../../main/linux/systemd/index.ts';
import { parseCommands, splitWords } from '../../../../main/linux/systemd/exec-command.ts';
import { parseUnitFile, UnitConfig } from '../../../../main/linux/systemd/unit-file.ts';
import { makeSystemMachine } from '../../../parity/tools/system-machine.ts';
import { scriptRunner, type RunScript } from '../../../support/run-on.ts';

async function machineWith(units: Readonly<Record<string, string>>): Promise<RunScript> {
  const files = Object.entries(units).map(([name, text]) => [
    name.startsWith('/') ? name : `/etc/systemd/system/${name}`,
    text,
  ]);
  return scriptRunner(
    await makeSystemMachine({ files: Object.fromEntries(files) as Record<string, string> }),
  );
}

test('an empty assignment begins a list anew, and a backslash joins lines', () => {
  const { settings, complaints } = parseUnitFile(
    '[Service]\nExecStart=/a\nExecStart=\n# note\nExecStart=/b \\\n; note\n  --flag\nnonsense\n',
    '/x',
  );
  expect(new UnitConfig(settings).values('Service', 'ExecStart')).toEqual([
    '/b    --flag'.replace('    ', '  '),
  ]);
  expect(complaints).toEqual(["/x:8: Missing '=', ignoring line."]);
});

test('command lines have prefixes, quotes and separators', () => {
  expect(splitWords(`a "b c" 'd e' f\\x g\\ h`)).toEqual(['a', 'b c', 'd e', 'f\\x', 'g\\ h']);
  expect(parseCommands('-/bin/a x ; @/bin/b name y')).toMatchObject([
    { path: '/bin/a', args: ['x'], mayFail: true },
    { path: '/bin/b', argv0: 'name', args: ['y'], mayFail: false },
  ]);
});

test('spans and calendars are systemd’s', () => {
  expect(['5', '2min 30s', '1h', '100ms', 'infinity', 'soon'].map(parseTimeSpan)).toEqual([
    5000,
    150_000,
    3_600_000,
    100,
    Number.POSITIVE_INFINITY,
    undefined,
  ]);
  const from = Date.UTC(2024, 1, 28, 23, 59, 30);
  const next = (text: string): string | undefined => {
    const at = parseCalendar(text)?.next(from);
    return at === undefined ? undefined : new Date(at).toISOString().slice(0, 19);
  };
  expect(
    ['minutely', 'daily', 'Sat 10:00', '*-02-29 *:00/20', '*:0/5', '2023-01-01', 'Mon..Fri 09:30'].map(next),
  ).toEqual([
    '2024-02-29T00:00:00',
    '2024-02-29T00:00:00',
    '2024-03-02T10:00:00',
    '2024-02-29T00:00:00',
    '2024-02-29T00:00:00',
    undefined,
    '2024-02-29T09:30:00',
  ]);
});

test('environment, files of it, user, directory and specifiers reach the process', async () => {
  const run = await machineWith({
    'show@.service':
      '[Service]\nType=oneshot\nRemainAfterExit=yes\nEnvironment="A=one two" B=3\nEnvironmentFile=-/etc/none\nEnvironmentFile=/etc/show.env\nUser=nobody\nWorkingDirectory=/tmp\nExecStart=/bin/sh -c \'echo "%i $A $B $C $(id -un) $(pwd)" > /tmp/out-%i\'\n',
    '/etc/show.env': 'C="from file"\n# note\n',
  });
  expect(await run('systemctl start show@x1; cat /tmp/out-x1; systemctl is-active show@x1')).toEqual({
    out: 'x1 one two 3 from file nobody /tmp\nactive\n',
    status: 0,
  });
});

test('a failing ExecStartPre keeps the service down and says why', async () => {
  const run = await machineWith({
    'pre.service': '[Service]\nExecStartPre=/bin/false\nExecStart=/bin/sleep 1000\n',
    'lenient.service': '[Service]\nExecStartPre=-/bin/false\nExecStart=/bin/sleep 1000\n',
  });
  expect(await run('systemctl start pre')).toEqual({
    out: 'Job for pre.service failed because the control process exited with error code.\nSee "systemctl status pre.service" and "journalctl -xeu pre.service" for details.\n',
    status: 1,
  });
  expect(
    (await run('systemctl is-active pre; systemctl start lenient; systemctl is-active lenient')).out,
  ).toBe('failed\nactive\n');
});

test('a oneshot that fails makes its start fail; one that succeeds is over', async () => {
  const run = await machineWith({
    'bad.service': '[Service]\nType=oneshot\nExecStart=/bin/sh -c "exit 3"\n',
    'good.service': '[Unit]\nDescription=Good\n[Service]\nType=oneshot\nExecStart=/bin/true\n',
  });
  const { out } = await run(
    'systemctl start bad; echo $?; systemctl start good; echo $?; systemctl is-active good; journalctl -u good -o cat; systemctl show bad -p Result,ExecMainStatus',
  );
  expect(out).toBe(
    'Job for bad.service failed because the control process exited with error code.\nSee "systemctl status bad.service" and "journalctl -xeu bad.service" for details.\n1\n0\ninactive\nStarting good.service - Good...\ngood.service: Deactivated successfully.\nFinished good.service - Good.\nResult=exit-code\nExecMainStatus=3\n',
  );
});

test('a start that takes too long is ended', async () => {
  const run = await machineWith({
    'slow.service': '[Service]\nType=notify\nTimeoutStartSec=5\nExecStart=/bin/sleep 1000\n',
    'ready.service':
      '[Service]\nType=notify\nExecStart=/bin/bash -c "sleep 2; systemd-notify --ready --status=up; exec sleep 1000"\n',
  });
  expect(await run('systemctl start slow')).toMatchObject({
    status: 1,
    out: expect.stringContaining('failed because a timeout was exceeded') as string,
  });
  expect((await run('systemctl start ready; systemctl status ready | grep -E "Active|Status"')).out).toMatch(
    /active \(running\)[^]*Status: "up"/,
  );
});

test('what a service needs starts with it and first; without it, it does not start', async () => {
  const run = await machineWith({
    'db.service':
      '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "sleep 1; echo db >> /tmp/log"\n',
    'app.service':
      '[Unit]\nRequires=db.service\nAfter=db.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "echo app >> /tmp/log"\n',
    'broken.service': '[Service]\nType=oneshot\nExecStart=/bin/false\n',
    'needy.service':
      '[Unit]\nRequires=broken.service\nAfter=broken.service\n[Service]\nExecStart=/bin/sleep 1000\n',
    'lost.service': '[Unit]\nRequires=nowhere.service\n[Service]\nExecStart=/bin/sleep 1000\n',
  });
  expect(
    (await run('systemctl start app; cat /tmp/log; systemctl stop db; systemctl is-active app')).out,
  ).toBe('db\napp\ninactive\n');
  expect(await run('systemctl start needy')).toEqual({
    out: "A dependency job for needy.service failed. See 'journalctl -xe' for details.\n",
    status: 1,
  });
  expect(await run('systemctl start lost')).toEqual({
    out: 'Failed to start lost.service: Unit nowhere.service not found.\n',
    status: 5,
  });
});

test('a timer starts its service again and again', async () => {
  const run = await machineWith({
    'tick.timer': '[Timer]\nOnActiveSec=10\nOnUnitActiveSec=60\n[Install]\nWantedBy=timers.target\n',
    'tick.service': '[Service]\nType=oneshot\nExecStart=/bin/sh -c "date +%%s >> /tmp/ticks"\n',
  });
  const { out } = await run(
    'systemctl enable --now tick.timer; sleep 200; wc -l < /tmp/ticks; systemctl list-timers --no-legend | grep -o "tick.*"; systemctl stop tick.timer; sleep 200; wc -l < /tmp/ticks',
  );
  expect(out).toBe(
    'Created symlink /etc/systemd/system/timers.target.wants/tick.timer → /etc/systemd/system/tick.timer.\n4\ntick.timer tick.service\n4\n',
  );
});

test('stopping kills what will not go, after its time', async () => {
  const run = await machineWith({
    'stubborn.service':
      '[Service]\nTimeoutStopSec=5\nExecStart=/bin/bash -c "trap : TERM; while :; do sleep 1000 & wait; done"\n',
  });
  const { out } = await run(
    'systemctl start stubborn; sleep 1; SECONDS=0; systemctl stop stubborn; echo $SECONDS; systemctl is-failed stubborn; journalctl -u stubborn -o cat | grep -c SIGKILL',
  );
  expect(out).toMatch(/^5\nfailed\n[12]\n$/);
});

test('a changed unit file asks for daemon-reload, and only then counts', async () => {
  const run = await machineWith({
    'web.service': '[Service]\nType=oneshot\nExecStart=/bin/sh -c "echo one >> /tmp/log"\n',
  });
  const { out } = await run(
    'systemctl start web; sed -i s/one/two/ /etc/systemd/system/web.service; systemctl start web; systemctl daemon-reload; systemctl start web; cat /tmp/log',
  );
  expect(out).toBe(
    "Warning: The unit file, source configuration file or drop-ins of web.service changed on disk. Run 'systemctl daemon-reload' to reload units.\none\none\ntwo\n",
  );
});

test('systemctl edit makes a drop-in with the editor of the person', async () => {
  const run = await machineWith({
    'web.service': '[Service]\nExecStart=/bin/sleep 1000\n',
    '/root/edit.sh': 'sed -i "2a [Service]" "$1"\nsed -i "3a Environment=X=1" "$1"\n',
  });
  const { out } = await run(
    'EDITOR="bash /root/edit.sh" systemctl edit web; cat /etc/systemd/system/web.service.d/override.conf; systemctl show web -p DropInPaths',
  );
  expect(out).toBe(
    "Successfully installed edited file '/etc/systemd/system/web.service.d/override.conf'.\n[Service]\nEnvironment=X=1\nDropInPaths=/etc/systemd/system/web.service.d/override.conf\n",
  );
});

test('masking, static units, aliases and missing [Install] are told apart', async () => {
  const run = await machineWith({
    'plain.service': '[Service]\nExecStart=/bin/sleep 1000\n',
    '/usr/lib/systemd/system/real.service':
      '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\nAlias=other.service\n',
  });
  const { out } = await run(
    'systemctl is-enabled plain; systemctl enable plain 2>&1 | head -1; systemctl enable real; systemctl is-enabled other real; systemctl mask real; systemctl start real; systemctl unmask real; systemctl disable real',
  );
  expect(out).toBe(
    'static\nThe unit files have no installation config (WantedBy=, RequiredBy=, Also=,\n' +
      'Created symlink /etc/systemd/system/other.service → /usr/lib/systemd/system/real.service.\nCreated symlink /etc/systemd/system/multi-user.target.wants/real.service → /usr/lib/systemd/system/real.service.\nalias\nenabled\n' +
      'Created symlink /etc/systemd/system/real.service → /dev/null.\nFailed to start real.service: Unit real.service is masked.\nRemoved "/etc/systemd/system/real.service".\nRemoved "/etc/systemd/system/multi-user.target.wants/real.service".\nRemoved "/etc/systemd/system/other.service".\n',
  );
});

test('a unit without a command is a bad setting, and a condition that is not met is no failure', async () => {
  const run = await machineWith({
    'empty.service': '[Service]\nType=simple\n',
    'maybe.service': '[Unit]\nConditionPathExists=/no/such\n[Service]\nExecStart=/bin/sleep 1000\n',
  });
  expect(await run('systemctl start empty')).toEqual({
    out: "Failed to start empty.service: Unit empty.service has a bad unit file setting.\nSee system logs and 'systemctl status empty.service' for details.\n",
    status: 1,
  });
  const { out } = await run('systemctl start maybe; echo $?; systemctl status maybe | sed -n 4,5p');
  expect(out).toMatch(
    /^0\n {2}Condition: start condition failed at .*\n {13}└─ ConditionPathExists=\/no\/such was not met\n$/,
  );
});
