// Name compression for DNS messages (RFC 1035, 4.1.4), which dns-packet leaves out.

const POINTER_MAX = 0x3fff;
const TYPE_NS = 2;
const TYPE_CNAME = 5;
const TYPE_SOA = 6;
const TYPE_PTR = 12;
const TYPE_MX = 15;

/** The same message with names that came before replaced by pointers: in owner names and the RDATA of RFC 1035's types. */
export function compressDns(bytes: Uint8Array): Uint8Array {
  const writer = new Compressor(bytes);
  return writer.run();
}

class Compressor {
  private readonly input: Uint8Array;
  private readonly output: number[] = [];
  private readonly offsets = new Map<string, number>();
  private position = 0;

  constructor(input: Uint8Array) {
    this.input = input;
  }

  run(): Uint8Array {
    const counts = [4, 6, 8, 10].map((offset) => this.u16At(offset));
    this.copy(12);
    for (let i = 0; i < counts[0]!; i++) {
      this.name();
      this.copy(4);
    }
    const records = counts[1]! + counts[2]! + counts[3]!;
    for (let i = 0; i < records; i++) this.record();
    return Uint8Array.from(this.output);
  }

  private record(): void {
    this.name();
    const type = this.u16At(this.position);
    this.copy(8);
    const length = this.u16At(this.position);
    const end = this.position + 2 + length;
    const lengthAt = this.output.length;
    this.copy(2);
    if (type === TYPE_MX) this.copy(2);
    if (type === TYPE_NS || type === TYPE_CNAME || type === TYPE_PTR || type === TYPE_MX) this.name();
    if (type === TYPE_SOA) {
      this.name();
      this.name();
    }
    this.copy(end - this.position);
    const written = this.output.length - lengthAt - 2;
    this.output[lengthAt] = written >> 8;
    this.output[lengthAt + 1] = written & 255;
  }

  /** Writes the name at the position: as many labels as are new, then a pointer or the end. */
  private name(): void {
    const labels: Uint8Array[] = [];
    while (this.input[this.position]! > 0) {
      const length = this.input[this.position]!;
      labels.push(this.input.subarray(this.position, this.position + 1 + length));
      this.position += 1 + length;
    }
    this.position++;
    for (let i = 0; i < labels.length; i++) {
      const rest = labels
        .slice(i)
        .map((label) => Buffer.from(label).toString('latin1').toLowerCase())
        .join('');
      const known = this.offsets.get(rest);
      if (known !== undefined) {
        this.output.push(0xc0 | (known >> 8), known & 255);
        return;
      }
      if (this.output.length <= POINTER_MAX) this.offsets.set(rest, this.output.length);
      this.output.push(...labels[i]!);
    }
    this.output.push(0);
  }

  private copy(size: number): void {
    for (let i = 0; i < size; i++) this.output.push(this.input[this.position++]!);
  }

  private u16At(offset: number): number {
    return this.input[offset]! * 256 + this.input[offset + 1]!;
  }
}
