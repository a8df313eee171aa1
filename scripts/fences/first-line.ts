// The rule `drydock/first-line`: every file opens with a comment that says its one job.
import type { Context } from '@oxlint/plugins';

import { placeOf } from './house.ts';

const FOLDERS: readonly string[] = ['main', 'preload', 'renderer', 'scripts'];

export const firstLine = {
  create(context: Context) {
    const place = placeOf(context.cwd, context.filename);
    if (place === undefined || !FOLDERS.includes(place.top)) return {};
    return {
      Program(node: { range: [number, number]; start: number; end: number }) {
        if (/^(?:#!.*\n)?(?:\/\/ ?\S|\/\*)/.test(context.sourceCode.text)) return;
        context.report({
          loc: { start: { line: 1, column: 0 }, end: { line: 1, column: 1 } },
          message: `The first line of a file is a comment that says its one job; ${place.path} starts without (${node.start}).`,
        });
      },
    };
  },
};
