/** The words of WGSL, what it reserves, the types and functions of it that kernels use, and names of the kernels' own. */
const WORDS: readonly string[] = `
T B U LANES WIDTH layer cells id first end i n group half from select abs sign sqrt inverseSqrt exp log floor max min pow tanh cbrt all any
alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop
override requires return struct switch true var while NULL Self abstract active alignas alignof as asm asm_fragment async
attribute auto await become bf16 binding_array cast catch class co_await co_return co_yield coherent column_major common
compile compile_fragment concept const_cast consteval constexpr constinit crate debugger decltype delete demote
demote_to_helper do dynamic_cast enum explicit export extends extern external fallthrough filter final finally friend fxgroup
get goto groupshared highp impl implements import inline instanceof interface layout lowp macro macro_rules match mediump meta
mod module move mut mutable namespace new nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null
nullptr of operator package packoffset partition patch pixelfragment precise precision premerge priv protected pub public
readonly ref regardless register reinterpret_cast require resource restrict self set shared sizeof smooth snorm static
static_assert static_cast std subroutine super target template this thread_local throw trait try type typedef typeid typename
typeof union unless unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield
bool f16 f32 i32 u32 vec2 vec3 vec4 vec2f vec3f vec4f vec2u vec3u vec4u array atomic ptr sampler texture function private
uniform workgroup storage read write read_write sum_lanes max_lanes min_lanes pow_T pow_f32 cbrt_T cbrt_f32 tanh_T tanh_f32 noise_T
`
  .trim()
  .split(/\s+/)

/** What a name of the author's must not be in a function with so many reductions. */
export function reserved(reductions: number): string[] {
  return [
    ...WORDS,
    ...Array.from({ length: reductions }, (_, r) => [
      `bin${r}`,
      `all${r}`,
      `block${r}`,
      `sheet${r}`,
      `across${r}`,
      `eight${r}`
    ]).flat()
  ]
}
