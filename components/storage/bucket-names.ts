/** S3's rules for the names of buckets, and one of ours: no dots, as the certificate of `*.s3.amazonaws.com` covers none. */
const shape = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
const reservedStarts = ["xn--", "sthree-", "amzn-s3-demo-"];
const reservedEnds = ["-s3alias", "--ol-s3", "--x-s3", "--table-s3", "-an"];

export function bucketNameProblem(field: string, bucket: string): string | undefined {
  const what = `${field}: ${JSON.stringify(bucket)}`;
  if (!shape.test(bucket)) return `${what} is no name that S3 takes: 3 to 63 small letters, digits and hyphens, with a letter or digit at both ends`;
  const start = reservedStarts.find((reserved) => bucket.startsWith(reserved));
  if (start !== undefined) return `${what} starts with ${start}, which S3 keeps for itself`;
  const end = reservedEnds.find((reserved) => bucket.endsWith(reserved));
  return end === undefined ? undefined : `${what} ends in ${end}, which S3 keeps for itself`;
}
