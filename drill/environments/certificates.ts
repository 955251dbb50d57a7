/** A certificate authority of a drill, in files. */
export interface Authority {
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
}

/** Absolute paths; the key's permissions are 0600. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  /** The authority's certificate that signs it. */
  readonly caFile: string;
}

export interface CertificateRequest {
  readonly name: string;
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[];
}

export async function makeAuthority(folder: string): Promise<Authority> {
  return Promise.reject(new Error(`not built yet: ${folder}`));
}

export async function issue(authority: Authority, request: CertificateRequest): Promise<Certificate> {
  return Promise.reject(new Error(`not built yet: ${authority.folder} ${request.name}`));
}
