// What all of the screen is made from: tokens and base styles, icons, and the few controls that HTML lacks.
export { Brand } from './Brand.tsx';
export { ConfirmDialog } from './ConfirmDialog.tsx';
export { CopyButton } from './CopyButton.tsx';
export { Icon } from './Icon.tsx';
export { Popover } from './Popover.tsx';
export { useResolvedTheme } from './resolved-theme.ts';
