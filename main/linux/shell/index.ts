// The shell: bash as a program of the virtual machine. It knows the kernel's calls and no command but its builtins.
export { ash, bash, dash } from './bash.ts';
export { bytesToText, byteToText, normalizeText, textToBytes } from './bytes.ts';
export { registerCompleter, type Completer, type CompletionAnswer } from './completion/completions.ts';
