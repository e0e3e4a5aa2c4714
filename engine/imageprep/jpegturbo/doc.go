// Package jpegturbo decodes JPEG images to the very pixels that libjpeg-turbo 3 makes
// of them with its default settings, as in Pillow: the accurate integer inverse
// transform (islow), triangle ("fancy") upsampling of the chroma, and the colour
// conversion in 16-bit fixed point. The standard library's image/jpeg has another
// transform and repeats chroma samples.
//
// Baseline, extended and progressive Huffman-coded images of 8 bits and one, three or
// four components are decoded, with any sampling factors that libjpeg takes.
//
// # Deviations
//
// Arithmetic coding, lossless and 12-bit images are errors. Broken entropy-coded data,
// where libjpeg warns and goes on, is an error, but for data that ends at a marker: the
// rest of the scan is then gray, as there, though the block in which it ends may
// differ. Progressive images that lack scans are not smoothed. More than 100 scans are
// an error: they only cost time.
package jpegturbo
