/** The words of GLSL ES 3.00, what it reserves, the functions of it that kernels use, and names of the programs' own. */
const WORDS: readonly string[] = `
attribute const uniform varying layout centroid flat smooth break continue do for while switch case default if else in out
inout float int void bool true false invariant discard return mat2 mat3 mat4 mat2x2 mat2x3 mat2x4 mat3x2 mat3x3 mat3x4 mat4x2
mat4x3 mat4x4 vec2 vec3 vec4 ivec2 ivec3 ivec4 bvec2 bvec3 bvec4 uint uvec2 uvec3 uvec4 lowp mediump highp precision sampler2D
sampler3D samplerCube sampler2DShadow samplerCubeShadow sampler2DArray sampler2DArrayShadow isampler2D isampler3D isamplerCube
isampler2DArray usampler2D usampler3D usamplerCube usampler2DArray struct coherent volatile restrict readonly writeonly
resource atomic_uint noperspective patch sample subroutine common partition active asm class union enum typedef template this
goto inline noinline public static extern external interface long short double half fixed unsigned superp input output
hvec2 hvec3 hvec4 dvec2 dvec3 dvec4 fvec2 fvec3 fvec4 sampler3DRect filter image1D image2D image3D imageCube iimage1D iimage2D
iimage3D iimageCube uimage1D uimage2D uimage3D uimageCube image1DArray image2DArray iimage1DArray iimage2DArray uimage1DArray
uimage2DArray image1DShadow image2DShadow image1DArrayShadow image2DArrayShadow imageBuffer iimageBuffer uimageBuffer
sampler1D sampler1DShadow sampler1DArray sampler1DArrayShadow isampler1D isampler1DArray usampler1D usampler1DArray
sampler2DRect sampler2DRectShadow isampler2DRect usampler2DRect samplerBuffer isamplerBuffer usamplerBuffer sampler2DMS
isampler2DMS usampler2DMS sampler2DMSArray isampler2DMSArray usampler2DMSArray sizeof cast namespace using
main abs sign sqrt inversesqrt exp log floor max min mix lessThan lessThanEqual greaterThan greaterThanEqual equal notEqual
texelFetch pow_ cbrt_ tanh_ noise_ lt le gt ge eq ne both either none pick
T B F V l s p row where blocks cells cellsOf cell model total part to locate Zq Zk Zt Za Zb Zx Zy Zi Zj
axes rowOf colOf channelOf Zl Zp Zw Zf Zn Zo Ze Zv Zbegin Zwalk
`
  .trim()
  .split(/\s+/)

/** What a name of the author's must not be in a kernel for so many buffers and results. */
export function reserved(buffers: number, results: number): string[] {
  return [
    ...WORDS,
    ...Array.from({ length: buffers }, (_, i) => `in${i}`),
    ...Array.from({ length: results }, (_, i) => [`to${i}`, ...[0, 1, 2, 3].map((level) => `Z${level}_${i}`)]).flat()
  ]
}
