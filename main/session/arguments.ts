// What a screen may send with each call: the schemas that the receiver checks before it acts.
import { z } from 'zod';
import type { CallName, RequestOf } from '../../preload/contract.ts';

const nothing = z.strictObject({});
const step = z.number().int().min(0).max(1000);
const cells = z.number().int().min(1).max(1000);
const id = z.string().min(1).max(200);

/** Characters of input that one call may bring: a large paste. */
const INPUT_LENGTH_MAX = 1_000_000;
/** Characters of a file that the editor may save. */
const FILE_LENGTH_MAX = 10_000_000;
/** Virtual seconds of one skip: a week. */
const SKIP_SECONDS_MAX = 7 * 24 * 3600;

const size = { columns: cells, rows: cells };

/** A schema per call. `satisfies` keeps them equal to the contract. */
export const callArguments = {
  'app.state': nothing,
  'settings.update': z.strictObject({
    language: z.enum(['zh', 'en']).optional(),
    theme: z.enum(['system', 'light', 'dark']).optional(),
    terminalFontSize: z.number().min(6).max(72).optional(),
    layout: z.string().max(200_000).optional(),
  }),
  'shelf.list': nothing,
  'cluster.topology': nothing,
  'clock.pause': nothing,
  'clock.resume': nothing,
  'clock.setSpeed': z.strictObject({ speed: z.number().min(0.1).max(1000) }),
  'clock.skip': z.strictObject({ seconds: z.number().min(0).max(SKIP_SECONDS_MAX) }),
  'clock.skipUntilReady': nothing,
  'terminal.open': z.strictObject({ machine: id, ...size }),
  'terminal.attach': z.strictObject({ terminalId: id, ...size }),
  'terminal.input': z.strictObject({ terminalId: id, data: z.string().max(INPUT_LENGTH_MAX) }),
  'terminal.resize': z.strictObject({ terminalId: id, ...size }),
  'terminal.close': z.strictObject({ terminalId: id }),
  'editor.save': z.strictObject({ editorId: id, content: z.string().max(FILE_LENGTH_MAX) }),
  'editor.close': z.strictObject({ editorId: id, exitCode: z.number().int().min(0).max(255) }),
  'lab.open': z.strictObject({ labId: id }),
  'lab.close': nothing,
  'lab.goTo': z.strictObject({ step }),
  'lab.check': z.strictObject({ step }),
  'lab.takeHint': z.strictObject({ step, hint: step }),
  'lab.reset': z.strictObject({ step }),
  'lab.solve': z.strictObject({ step }),
  'lab.restart': nothing,
} satisfies { readonly [Name in CallName]: z.ZodType<RequestOf<Name>> };
