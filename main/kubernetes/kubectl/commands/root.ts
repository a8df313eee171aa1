// The kubectl command and what is under it.
import type { Command } from '../frame/command.ts';
import { apply } from './apply.ts';
import { get } from './get.ts';

export const rootCommand: Command = {
  name: 'kubectl',
  use: '[flags] [options]',
  short: 'kubectl controls the Kubernetes cluster manager',
  long: 'kubectl controls the Kubernetes cluster manager.\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/',
  commands: [apply, get],
};
