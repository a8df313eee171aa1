// One tracked connection: its two tuples, state and deadline (nf_conn).

/** Filled in by conntrack. */
export class Connection {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
}
