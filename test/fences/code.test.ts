// The fences that oxlint and the type checker bring: shown to be switched on, and to be errors.
import { afterAll, describe, expect, test } from 'vitest';

import { Fixture } from './fixture.ts';

const LINTED: Record<string, { text: string; fault: string }> = {
  'main/network/cycle-a.ts': {
    text: "// A.\nimport { b } from './cycle-b.ts';\nexport const a = (): number => b();\n",
    fault: 'import(no-cycle)',
  },
  'main/network/any.ts': {
    text: '// Any.\nexport const x = (y: any) => y;\n',
    fault: 'typescript(no-explicit-any)',
  },
  'main/network/default.ts': { text: '// Default.\nexport default 1;\n', fault: 'import(no-default-export)' },
  'main/network/floating.ts': {
    text: '// Floating.\nasync function f(): Promise<void> {}\nexport function g(): void {\n  f();\n}\n',
    fault: 'typescript(no-floating-promises)',
  },
  'main/network/empty-catch.ts': {
    text: '// Catch.\nexport function g(f: () => void): void {\n  try {\n    f();\n  } catch {}\n}\n',
    fault: 'eslint(no-empty)',
  },
  'main/network/ts-ignore.ts': {
    text: "// Ignore.\n// @ts-ignore\nexport const x: number = 'a';\n",
    fault: 'typescript(ban-ts-comment)',
  },
  'main/network/switch.ts': {
    text: "// Switch.\nexport function f(x: 'a' | 'b'): void {\n  switch (x) {\n    case 'a':\n      f(x);\n  }\n}\n",
    fault: 'typescript(switch-exhaustiveness-check)',
  },
  'main/network/CamelCase.ts': { text: '// Name.\nexport const x = 1;\n', fault: 'unicorn(filename-case)' },
  'main/network/no-comment.ts': { text: 'export const x = 1;\n', fault: 'drydock(first-line)' },
};

const TYPED = {
  'main/session/dom.ts': '// DOM.\nexport const x = document.title;\n',
  'main/session/node.ts': '// Node.\nexport const x = process.pid;\n',
  'main/session/enum.ts': '// Enum.\nexport enum Colour { Red }\n',
  'main/session/property.ts': '// Property.\nexport class A {\n  constructor(readonly b: number) {}\n}\n',
  'main/session/index-access.ts': '// Index.\nexport const x = (list: string[]): string => list[0];\n',
  'renderer/node.ts': '// Node.\nexport const x = process.pid;\n',
  'renderer/buffer.ts': '// Node.\nexport const x = Buffer.alloc(1);\n',
  'renderer/dom.ts': '// DOM.\nexport const x = document.title;\n',
  'renderer/Panel.tsx':
    "// Everything a panel imports.\nimport { useState } from 'react';\nimport { Terminal } from '@xterm/xterm';\nimport { ReactFlow } from '@xyflow/react';\nimport { DockviewReact } from 'dockview-react';\nimport { EditorView } from '@codemirror/view';\nimport { create } from 'zustand';\nimport Markdown from 'react-markdown';\nimport { useTranslation } from 'react-i18next';\nexport const all = [useState, Terminal, ReactFlow, DockviewReact, EditorView, create, Markdown, useTranslation];\n",
  'preload/contract.ts': '// Contract.\nexport interface Calls {}\n',
};

const fixture = new Fixture({
  ...Object.fromEntries(Object.entries(LINTED).map(([file, { text }]) => [file, text])),
  'main/network/cycle-b.ts':
    "// B.\nimport { a } from './cycle-a.ts';\nexport const b = (): number => a();\n",
  'main/network/good.ts':
    '// Good.\nasync function f(): Promise<void> {}\nexport async function g(): Promise<void> {\n  await f();\n}\n',
  ...TYPED,
});
afterAll(() => fixture[Symbol.dispose]());

describe('lint refuses', () => {
  const faults = fixture.lint();
  for (const [file, { fault }] of Object.entries(LINTED)) {
    test(`${file}: ${fault}`, () => {
      expect(faults.get(file)).toEqual(expect.arrayContaining([expect.stringContaining(fault)]));
    });
  }
  test('nothing in a good file', () => expect(faults.get('main/network/good.ts')).toBeUndefined());
});

describe('types keep the processes apart', () => {
  const main = fixture.types('main');
  const renderer = fixture.types('renderer');

  test('main/ has no DOM', () =>
    expect(main.get('main/session/dom.ts')).toEqual([expect.stringMatching("'document'")]));
  test('main/ has Node', () => expect(main.get('main/session/node.ts')).toBeUndefined());
  test('renderer/ has no Node', () => {
    expect(renderer.get('renderer/node.ts')).toEqual([expect.stringMatching("'process'")]);
    expect(renderer.get('renderer/buffer.ts')).toEqual([expect.stringMatching("'Buffer'")]);
  });
  test('renderer/ has the DOM and its packages', () => {
    expect(renderer.get('renderer/dom.ts')).toBeUndefined();
    expect(renderer.get('renderer/Panel.tsx')).toBeUndefined();
  });
  test('syntax that Node cannot strip is refused', () => {
    expect(main.get('main/session/enum.ts')).toEqual([expect.stringMatching('TS1294')]);
    expect(main.get('main/session/property.ts')).toEqual([expect.stringMatching('TS1294')]);
  });
  test('an element of a list may be undefined', () => {
    expect(main.get('main/session/index-access.ts')).toEqual([expect.stringMatching('TS2322')]);
  });
});
