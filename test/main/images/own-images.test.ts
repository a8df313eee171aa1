// A lab's own images: a base, files and a script, from lab.yaml to a running container, and after the workspace was closed.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadLab } from '../../../main/lab/index.ts';
import type { OwnImage } from '../../../main/images/index.ts';
import { makeImageMachine } from '../../support/image-machine.ts';

const LABS = join(import.meta.dirname, '../../../labs');

const GREETER: OwnImage = {
  name: 'lab/greeter:1.0',
  base: 'busybox:1.36',
  files: {
    '/entry.sh': '#!/bin/sh\necho "hello $WHO from $(cat /etc/greeting)"\nexec httpd -f -p 8080 -h /srv\n',
    '/etc/greeting': 'the lab\n',
    '/srv/index.html': 'page\n',
  },
  entrypoint: ['/entry.sh'],
  env: { WHO: 'you' },
  exposedPorts: [8080],
};

/** A copy of the house's labs, one of which declares images. */
function labWith(
  images: string,
  files: Readonly<Record<string, string>>,
): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'drydock-'));
  cpSync(LABS, folder, { recursive: true });
  const lab = join(folder, 'service/basics');
  writeFileSync(join(lab, 'lab.yaml'), `${readFileSync(join(lab, 'lab.yaml'), 'utf8')}\n${images}`);
  mkdirSync(join(lab, 'images'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(lab, 'images', name), text);
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

test('a lab declares images in lab.yaml, with files from its folder', async () => {
  const { folder, remove } = labWith(
    'images:\n  - name: lab/greeter:1.0\n    base: busybox:1.36\n    files: { /entry.sh: entry.sh }\n    entrypoint: [/entry.sh]\n    env: { WHO: me }\n',
    { 'entry.sh': '#!/bin/sh\necho "I am $WHO"\n' },
  );
  try {
    const { images } = loadLab(folder, 'service/basics');
    const m = makeImageMachine({ own: images });
    expect(await m.run('lab/greeter:1.0')).toEqual({ stdout: 'I am me\n', stderr: '', status: 0 });
  } finally {
    remove();
  }
});

test('a file that is missing, or a field that there is not, is told with its place', () => {
  const missing = labWith('images:\n  - name: a/b:1\n    base: busybox\n    files: { /x: nope.sh }\n', {});
  const wrong = labWith('images:\n  - name: a/b:1\n    base: busybox\n    volumes: [/x]\n', {});
  try {
    expect(() => loadLab(missing.folder, 'service/basics')).toThrow(
      /lab\.yaml:\d+: the image "a\/b:1" needs the file images\/nope\.sh/,
    );
    expect(() => loadLab(wrong.folder, 'service/basics')).toThrow(
      /images\.0 must NOT have additional properties \("volumes"\)/,
    );
  } finally {
    missing.remove();
    wrong.remove();
  }
});

test('the image runs its script over its base, and serves', async () => {
  const m = makeImageMachine({ own: [GREETER] });
  const id = await m.start('lab/greeter:1.0');
  expect(m.log(id)).toBe('hello you from the lab\n');
  expect((await m.exec(id, 'wget', '-qO-', 'http://127.0.0.1:8080/')).stdout).toBe('page\n');
  expect((await m.exec(id, 'wget', '-qO-', 'http://127.0.0.1:8080/no')).status).toBe(1);
  expect(m.containerd.imageStatus('lab/greeter:1.0')?.image.exposedPorts).toEqual(['8080/tcp']);
});

test('another tag of it is not found, and its name is its own repository', async () => {
  const m = makeImageMachine({ own: [GREETER] });
  await expect(m.settle(m.containerd.pullImage('lab/greeter:2'))).rejects.toThrow('lab/greeter:2: not found');
});
