// Editors that programs open: `vim FILE` waits in its terminal while the screen shows the real editor.
import type { EditorInfo, Events } from '../../preload/contract.ts';
import type { Cluster } from '../cluster/index.ts';
import { editorSocket, type EditRequest } from '../linux/commands/index.ts';
import type { Tty } from '../linux/kernel/index.ts';
import type { Machine } from '../linux/machine/index.ts';
import { disposable, type Simulation } from '../simulation/index.ts';
import { SessionError } from './session-error.ts';

export interface EditorDeskOptions {
  readonly simulation: Simulation;
  readonly emit: <Name extends 'editor.opened' | 'editor.closed'>(name: Name, event: Events[Name]) => void;
  /** The terminal that shows a tty, or the one last typed in when the tty is further away (a pod's, over exec). */
  readonly terminalOf: (tty: Tty) => string | undefined;
}

interface Editor {
  readonly info: EditorInfo;
  readonly request: EditRequest;
  readonly close: (exitCode: number) => void;
}

export class EditorDesk implements Disposable {
  private readonly options: EditorDeskOptions;
  private readonly editors = new Map<string, Editor>();
  private readonly handlers = new DisposableStack();
  private bound = new DisposableStack();
  private served: Cluster | undefined;
  private lastNumber = 0;

  constructor(options: EditorDeskOptions) {
    this.options = options;
    const { simulation } = options;
    this.handlers.use(
      simulation.onInput<{ editorId: string; content: string }>('editor.save', ({ editorId, content }) => {
        const editor = this.require(editorId);
        const problem = editor.request.save(content);
        if (problem !== undefined) throw new SessionError('failed', problem);
        this.editors.set(editorId, { ...editor, info: { ...editor.info, content, isNew: false } });
      }),
    );
    this.handlers.use(
      simulation.onInput<{ editorId: string; exitCode: number }>('editor.close', ({ editorId, exitCode }) =>
        this.require(editorId).close(exitCode),
      ),
    );
  }

  /** Those that are open, for a screen that (re)connects. */
  list(): EditorInfo[] {
    return [...this.editors.values()].map((editor) => editor.info);
  }

  /** Answers the editors of a cluster's machines; undefined answers none. */
  serve(cluster: Cluster | undefined): void {
    if (cluster === this.served) return;
    this.bound.dispose();
    this.bound = new DisposableStack();
    this.served = cluster;
    for (const machine of cluster?.machines.values() ?? []) {
      this.bound.use(
        machine.kernel.bindService(editorSocket, {
          shows: (tty) => this.options.terminalOf(tty) !== undefined,
          edit: (request) => this.open(machine, request),
        }),
      );
    }
  }

  async save(editorId: string, content: string): Promise<void> {
    this.require(editorId);
    await this.options.simulation.input('editor.save', { editorId, content });
  }

  async close(editorId: string, exitCode: number): Promise<void> {
    this.require(editorId);
    await this.options.simulation.input('editor.close', { editorId, exitCode });
  }

  [Symbol.dispose](): void {
    this.serve(undefined);
    this.handlers.dispose();
  }

  private open(machine: Machine, request: EditRequest): Promise<{ exitCode: number }> {
    const terminalId = this.options.terminalOf(request.tty);
    if (terminalId === undefined)
      return Promise.reject(new SessionError('not-found', 'No terminal is open to show an editor in.'));
    const editorId = `editor-${++this.lastNumber}`;
    const { path, content, editor, isNew, readOnly, signal } = request;
    return new Promise((resolve) => {
      const stop = new DisposableStack();
      const close = (exitCode: number): void => {
        stop.dispose();
        this.editors.delete(editorId);
        resolve({ exitCode });
      };
      const killed = (): void => {
        close(1);
        this.options.emit('editor.closed', { editorId });
      };
      signal.addEventListener('abort', killed, { once: true });
      stop.use(disposable(() => signal.removeEventListener('abort', killed)));
      const info: EditorInfo = {
        editorId,
        terminalId,
        machine: machine.name,
        path,
        content,
        editor,
        isNew,
        readOnly,
      };
      this.editors.set(editorId, { info, request, close });
      this.options.emit('editor.opened', info);
    });
  }

  private require(editorId: string): Editor {
    const editor = this.editors.get(editorId);
    if (editor === undefined) throw new SessionError('not-found', `There is no editor "${editorId}".`);
    return editor;
  }
}
