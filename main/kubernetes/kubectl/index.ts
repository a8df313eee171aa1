// kubectl as a program on the machines: a client that knows only the API it talks to over the virtual network.
export { makeKubectl } from './main.ts';
export { completeKubectl } from './completion.ts';
