// A button that puts a text on the clipboard and says so.
import { useEffect, useState } from 'react';

import { Icon } from './Icon.tsx';

/** How long it says so, in ms. */
const SAID_MS = 1_600;

export function CopyButton(props: { text: string; label: string; doneLabel: string; iconOnly?: boolean }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), SAID_MS);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(props.text);
    setDone(true);
  };
  const label = done ? props.doneLabel : props.label;
  return (
    <button
      className={props.iconOnly === true ? 'icon-button' : 'quiet-button'}
      aria-label={props.iconOnly === true ? label : undefined}
      title={props.iconOnly === true ? label : undefined}
      onClick={() => void copy().catch(() => undefined) /* Refused by the browser: it shows why. */}
    >
      <Icon name={done ? 'check' : 'copy'} />
      {props.iconOnly !== true && <span aria-live="polite">{label}</span>}
    </button>
  );
}
