// Typing on the person's behalf.
import { expect, test } from 'vitest';

import { keysOf, writeFileCommand } from '../../../renderer/terminal/type-text.ts';

test('every line ends with Enter, the last one too, and no empty line is added', () => {
  expect(keysOf('kubectl get pods')).toBe('kubectl get pods\r');
  expect(keysOf('cd /tmp\nls\n')).toBe('cd /tmp\rls\r');
  expect(keysOf('a\r\nb')).toBe('a\rb\r');
});

test('a tab is typed as a tab, not as a wish for completion', () => {
  expect(keysOf('a\tb')).toBe('a\x16\tb\r');
});

test('a file is written by a here document that expands nothing', () => {
  expect(writeFileCommand('/root/web.yaml', 'a: $HOME\n')).toBe(
    "cat > /root/web.yaml <<'EOF'\na: $HOME\nEOF",
  );
});

test('a file that holds the delimiter gets another one', () => {
  expect(writeFileCommand('x', 'EOF\nEOF1')).toBe("cat > x <<'EOF2'\nEOF\nEOF1\nEOF2");
});

test('a path that the shell would take apart is quoted, and ~/ keeps its meaning', () => {
  expect(writeFileCommand("my 'file'", 'x')).toContain(`cat > 'my '\\''file'\\''' <<`);
  expect(writeFileCommand('~/a b', 'x')).toContain(`cat > ~/'a b' <<`);
  expect(writeFileCommand('$(reboot)', 'x')).toContain(`cat > '$(reboot)' <<`);
});
