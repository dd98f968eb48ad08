// What esbuild makes of files that are no modules: of a .gz its bytes in base64, of a .txt its text.

declare module "*.gz" {
  const base64: string;
  export default base64;
}

declare module "*.txt" {
  const text: string;
  export default text;
}
