// Why nginx doesn't start in a container that may not do what it wants: the three complaints people know.
import { expect, test } from 'vitest';
import { temporaryPathProblem } from '../../../../main/images/nginx/temporary-paths.ts';
import { containerCapabilities } from '../../../../main/linux/kernel/index.ts';
import { makeBareMachine, run, type RunOptions } from '../../../support/make-machine.ts';

async function problem(options: RunOptions): Promise<string | undefined> {
  const machine = makeBareMachine({ files: { '/var/cache/nginx': { type: 'directory' } } });
  let found: string | undefined;
  await run(
    machine,
    async (proc) => {
      found = temporaryPathProblem(proc, proc.credentials.uid === 0 ? 101 : undefined);
      return 0;
    },
    { cwd: '/', ...options },
  );
  expect(machine.kernel.files.readdir('/var/cache/nginx')).toEqual([]);
  return found;
}

test('root with its usual capabilities has nothing to complain of; without CAP_CHOWN it has', async () => {
  expect(await problem({ capabilities: containerCapabilities({}) })).toBeUndefined();
  expect(await problem({ capabilities: containerCapabilities({ drop: ['CHOWN'] }) })).toBe(
    'chown("/var/cache/nginx/client_temp", 101) failed (1: Operation not permitted)',
  );
});

test('another user may not make the folder', async () => {
  expect(await problem({ credentials: { uid: 1000, gid: 1000, groups: [1000] } })).toBe(
    'mkdir() "/var/cache/nginx/client_temp" failed (13: Permission denied)',
  );
});

test('nor can anybody on a read-only root', async () => {
  const machine = makeBareMachine({ files: { '/var/cache/nginx': { type: 'directory' } } });
  const [root, ...others] = machine.kernel.listMounts();
  let found: string | undefined;
  await run(
    machine,
    async (proc) => {
      found = temporaryPathProblem(proc, 101);
      return 0;
    },
    { namespaces: { mounts: [{ ...root!, readOnly: true }, ...others] } },
  );
  expect(found).toBe('mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)');
});
