// The kubectl command and what is under it.
import type { Command } from '../frame/command.ts';
import { annotate } from './annotate.ts';
import { apply } from './apply.ts';
import { describe } from './describe/describe.ts';
import { attach } from './attach.ts';
import { create } from './create/create.ts';
import { deleteCommand } from './delete.ts';
import { exec } from './exec.ts';
import { expose } from './expose.ts';
import { get } from './get.ts';
import { label } from './label.ts';
import { logs } from './logs.ts';
import { patch } from './patch.ts';
import { run } from './run.ts';
import { scale } from './scale.ts';

export const rootCommand: Command = {
  name: 'kubectl',
  commands: [
    annotate,
    apply,
    attach,
    create,
    deleteCommand,
    describe,
    exec,
    expose,
    get,
    label,
    logs,
    patch,
    run,
    scale,
  ],
};
