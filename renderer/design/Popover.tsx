// A button that opens a small panel beneath it. Escape and a click elsewhere close it; the keyboard goes back to the button.
import { useEffect, useId, useRef, useState, type ReactNode } from 'react';

import { Icon, type IconName } from './Icon.tsx';

export function Popover(props: {
  /** The accessible name of button and panel. */
  label: string;
  icon?: IconName;
  /** Shown on the button beside the icon. */
  text?: string;
  className?: string;
  testId?: string;
  /** Which edge of the panel is at the button's. */
  align?: 'start' | 'end';
  /** A function gets a way to close the panel. */
  children: ReactNode | ((close: () => void) => ReactNode);
}) {
  const [open, setOpen] = useState(false);
  const [place, setPlace] = useState<{ top: number; left?: number; right?: number }>();
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();

  const close = (): void => setOpen(false);
  const toggle = (): void => {
    const box = button.current?.getBoundingClientRect();
    if (open || box === undefined) return setOpen(false);
    // Above what clips: panes of the dock hide what hangs out of them.
    const edge = props.align === 'start' ? { left: box.left } : { right: innerWidth - box.right };
    setPlace({ top: box.bottom + 4, ...edge });
    setOpen(true);
  };
  useEffect(() => {
    if (!open) return;
    panel.current?.showPopover();
    panel.current?.querySelector<HTMLElement>('button, select, input, [tabindex="0"]')?.focus();
    const onPointerDown = (event: PointerEvent): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) setOpen(false);
    };
    const opener = button.current;
    document.addEventListener('pointerdown', onPointerDown, true);
    return () => {
      document.removeEventListener('pointerdown', onPointerDown, true);
      if (document.activeElement === document.body) opener?.focus(); // It was in the panel, which is gone.
    };
  }, [open]);

  return (
    <div
      className="popover"
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        event.stopPropagation();
        close();
      }}
    >
      <button
        ref={button}
        className={props.className ?? (props.text === undefined ? 'icon-button' : 'quiet-button')}
        aria-label={props.text === undefined ? props.label : undefined}
        title={props.label}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        data-testid={props.testId}
        onClick={toggle}
      >
        {props.icon !== undefined && <Icon name={props.icon} />}
        {props.text !== undefined && <span>{props.text}</span>}
      </button>
      {open && (
        <div
          ref={panel}
          id={id}
          className="popover-panel"
          popover="manual"
          role="dialog"
          aria-label={props.label}
          style={place}
        >
          {typeof props.children === 'function' ? props.children(close) : props.children}
        </div>
      )}
    </div>
  );
}
