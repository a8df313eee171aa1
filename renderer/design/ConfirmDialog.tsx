// Asks before something is lost.
import { useEffect, useId, useRef } from 'react';

export function ConfirmDialog(props: {
  title: string;
  text: string;
  confirm: string;
  cancel: string;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={titleId} onClose={props.onClose}>
      <h2 id={titleId}>{props.title}</h2>
      <p>{props.text}</p>
      <div className="dialog-buttons">
        <button className="button" autoFocus onClick={() => dialog.current?.close()}>
          {props.cancel}
        </button>
        <button
          className="button button-danger"
          data-testid="confirm"
          onClick={() => {
            props.onConfirm();
            dialog.current?.close();
          }}
        >
          {props.confirm}
        </button>
      </div>
    </dialog>
  );
}
