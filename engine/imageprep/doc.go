// Package imageprep decodes uploaded images and turns them into a vision tower's
// input, as the image processors of transformers 5.19 do on their PIL backend with
// Pillow 13.
//
// # Exactness
//
// The pixels of PNG, GIF, JPEG, lossless and lossy WebP images are equal to those that
// Pillow decodes and converts to RGB (libjpeg-turbo 3.2, libwebp 1.6), bit for bit.
// So is every resize, with each of Pillow's filters; and so are the float32 values of
// every processor that [ParseConfig] knows. The tests compare hashes.
//
// Two filters, Lanczos and Hamming, need sines: their weights could differ in the last
// of 22 bits where Go's sine differs from the C library's. No case is known.
//
// # Deviations
//
//   - The EXIF orientation is ignored by [Decode], as the processors ignore it in an
//     image object, and applied by [DecodeUpright], as transformers' load_image does for
//     a path or a URL. Of XMP packets only those in JPEG and WebP are read for it.
//   - Of an animation the first frame is taken.
//   - Images are always converted to RGB, whatever do_convert_rgb says: the towers have
//     three channels.
//   - Broken images that Pillow shows in part are errors; see jpegturbo for its limits.
//   - Gemma 3's pan and scan, and pad_size, are errors.
//   - Any-resolution tiles of a batch are not padded to the same number: do_pad there
//     only fills a tensor.
package imageprep
