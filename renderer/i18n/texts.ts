// The shape of the screen's texts: what English has, every language has.
import type { en } from './en.ts';

type TextsLike<T> = { readonly [Key in keyof T]: T[Key] extends string ? string : TextsLike<T[Key]> };

export type Texts = TextsLike<typeof en>;
