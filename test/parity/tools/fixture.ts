// The files that tool cases find in their folder.
export type FixtureFile =
  | { readonly type: 'directory'; readonly mode: number }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'file'; readonly content: Uint8Array; readonly mode: number };

function file(content: string | Uint8Array, mode = 0o644): FixtureFile {
  return { type: 'file', content: typeof content === 'string' ? Buffer.from(content) : content, mode };
}

const DIRECTORY: FixtureFile = { type: 'directory', mode: 0o755 };

const WORDS = 'apple banana cherry date elderberry fig grape apple Fig BANANA kiwi lemon'.split(' ');

/** Paths below the case's folder. */
export const FIXTURE: Readonly<Record<string, FixtureFile>> = {
  'a.txt': file('one\ntwo\nthree\nfour\nfive\n'),
  'b.txt': file('one\n2\nthree\nfour and a half\nfive\nsix\n'),
  words: file(`${WORDS.join('\n')}\n`),
  nums: file('10\n9\n2.5\n-3\n1e3\n007\n0x1F\n\n2.50\nabc\n+4\n 8\n1K\n2M\n3G\n512\n'),
  table: file(
    'alice 30 2500.5 dev\nbob 25 1800 ops\ncarol 41 3200.25 dev\ndave 25 900 hr\neve 37 2500.5 ops\n',
  ),
  passwd: file(
    'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nalice:x:1000:1000:Alice,,,:/home/alice:/bin/zsh\n',
  ),
  csv: file('name,qty,price\n"Widget, large",4,3.50\nGadget,10,12\n,,\n"quoted ""x""",1,0\n'),
  utf8: file('你好,世界\ncafé au lait\nstraße ÄÖÜ\n日本語テキスト\n🚢 ship\nplain\n'),
  crlf: file('one\r\ntwo\r\nthree\r\n'),
  nonl: file('first\nlast without newline'),
  empty: file(''),
  blank: file('\n\na\n\n\n\nb\n  \n\t\nc\n\n'),
  tabs: file('a\tb\tc\n1\t\t3\n\tx\n  y\tz  \nlonger\tfield\tend\n'),
  nul: file(Buffer.from('abc\0def\nxyz\0\n\0\0end\n')),
  bytes: file(Buffer.from([0x61, 0xff, 0x62, 0x0a, 0xc3, 0x28, 0x0a, 0x80, 0x81, 0x0a, 0x7a, 0x0a])),
  binary: file(Uint8Array.from({ length: 300 }, (_, i) => (i * 7) & 0xff)),
  long: file(`${'lorem ipsum dolor sit amet '.repeat(12).trimEnd()}\nshort\n${'x'.repeat(200)}\n`),
  text: file(
    'The quick brown fox jumps over the lazy dog.\nIt was the best of times, it was the worst of times,\nit was the age of wisdom.\n\nSecond paragraph here: foo=bar; baz="qux".\n  Indented line\nfoo bar foo baz\nERROR 404 at 10.0.0.1:8080\nWARN disk 93% full\nERROR 500 at 10.0.0.2:80\n',
  ),
  log: file(
    '2024-03-01T10:00:00Z INFO start pid=1\n2024-03-01T10:00:05Z WARN slow request=3.2s path=/api/v1\n2024-03-01T10:01:00Z ERROR failed code=500 path=/api/v1\n2024-03-01T10:02:00Z INFO done\n',
  ),
  seq: file(Array.from({ length: 30 }, (_, i) => `line ${i + 1}\n`).join('')),
  sorted1: file('a\nb\nc\nd\n'),
  sorted2: file('b\nc\ne\n'),
  join1: file('1 alice\n2 bob\n3 carol\n5 eve\n'),
  join2: file('1 x 10\n2 y 20\n2 z 21\n4 w 40\n'),
  graph: file('a b\nb c\na d\nd c\nx x\n'),
  'data.json': file(
    '{"name":"web","replicas":3,"labels":{"app":"web","tier":"front"},"ports":[80,443],"ok":true,"none":null,"nested":[{"id":1,"v":"x"},{"id":2,"v":"y"},{"id":3}],"f":1.5,"text":"a\\tb\\"c\\u4f60"}\n',
  ),
  'list.json': file('[3,1,2]\n{"a":1}\n{"a":2,"b":[1,{"c":null}]}\n"str"\nnull\n'),
  'pods.json': file(
    `${JSON.stringify(
      {
        kind: 'List',
        items: [
          {
            metadata: { name: 'web-1', namespace: 'default', labels: { app: 'web' } },
            status: { phase: 'Running', podIP: '10.244.1.2' },
          },
          { metadata: { name: 'db-0', namespace: 'prod' }, status: { phase: 'Pending' } },
          {
            metadata: { name: 'web-2', namespace: 'default', labels: { app: 'web' } },
            status: { phase: 'Running', podIP: '10.244.2.7' },
          },
        ],
      },
      null,
      2,
    )}\n`,
  ),
  'conf.yaml': file(
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels:\n    app: web\nspec:\n  containers:\n  - name: nginx\n    image: nginx:1.20\n',
  ),
  'run.sh': file('#!/bin/sh\necho hi "$@"\n', 0o755),
  dir: DIRECTORY,
  'dir/one': file('1\n'),
  'dir/two.txt': file('two\ntwo\n'),
  'dir/.hidden': file('h\n'),
  'dir/sub': DIRECTORY,
  'dir/sub/deep.txt': file('deep needle\n'),
  'dir/sub/deeper': DIRECTORY,
  'dir/sub/deeper/leaf.c': file('int main(void) { return 0; }\n'),
  'dir/empty': DIRECTORY,
  'dir/with space': file('spaced\n'),
  link: { type: 'symlink', target: 'a.txt' },
  dangling: { type: 'symlink', target: 'nowhere' },
  dirlink: { type: 'symlink', target: 'dir' },
};
