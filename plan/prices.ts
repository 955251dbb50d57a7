/**
 * What the providers ask, in USD; region us-east-1 unless said. One table, dated, so that it can be renewed in one
 * place. `looked up`: from the providers' price lists of the table's date, by way of facts.md, section "Prices".
 * `common knowledge`: long-standing list prices that were not looked up again; check them before you rely on a total.
 */
export const pricesDated = "2026-08";

export type PriceSource = "looked up" | "common knowledge";

export interface Price {
  readonly usd: number;
  readonly per: "GB-month" | "GB" | "million requests" | "key-month";
  readonly source: PriceSource;
}

const lookedUp = (usd: number, per: Price["per"]): Price => ({ usd, per, source: "looked up" });
const known = (usd: number, per: Price["per"]): Price => ({ usd, per, source: "common knowledge" });

export const prices = {
  r2Storage: lookedUp(0.015, "GB-month"),
  r2ClassA: lookedUp(4.5, "million requests"),
  r2ClassB: lookedUp(0.36, "million requests"),
  s3Standard: lookedUp(0.023, "GB-month"),
  s3StandardIa: lookedUp(0.0125, "GB-month"),
  /** S3's price of a write to Standard-IA; Standard asks half. */
  s3Put: known(10, "million requests"),
  s3Get: known(1, "million requests"),
  s3IaRetrieval: known(0.01, "GB"),
  deepArchive: lookedUp(0.00099, "GB-month"),
  /** Of a Glacier vault and of S3's class Glacier Flexible alike. */
  glacier: known(0.0036, "GB-month"),
  glacierPut: known(30, "million requests"),
  interRegion: lookedUp(0.02, "GB"),
  /** From AWS to anywhere else, R2 included; R2 asks nothing for the way back. */
  internetEgress: known(0.09, "GB"),
  replicationTimeControl: known(0.015, "GB"),
  kmsKey: lookedUp(1, "key-month"),
} as const satisfies Readonly<Record<string, Price>>;
