import type * as pulumi from "@pulumi/pulumi";

/**
 * Options of a resource that takes over what exists under `id`, where anything does. Where the state has that id
 * already, the engine takes no notice; where the state was lost, it imports the resource and then brings it to what is
 * declared, instead of failing because the name is taken.
 */
export const adopt = (options: pulumi.CustomResourceOptions, id: pulumi.ID | undefined): pulumi.CustomResourceOptions => (id === undefined ? options : { ...options, import: id });
