"""The environment, good and bad, and the range of versions."""

import unittest

from siglab_vllm import version
from siglab_vllm.settings import Mode, Settings


class Environment(unittest.TestCase):
    def test_nothing_asked_for(self):
        for environ in ({}, {"SIGLAB_POS_EMBED": ""}, {"VLLM_DEBUG_SIGLIP": "1"}):
            self.assertIsNone(Settings.from_environ(environ))

    def test_modes(self):
        for name in ("reference", "bilinear", "bilinear-fused", "exact", "cached", "antialias"):
            self.assertEqual(Settings.from_environ({"SIGLAB_POS_EMBED": name}).mode.value, name)
        self.assertIs(Settings.from_environ({"SIGLAB_POS_EMBED": "bicubic"}).mode, Mode.REFERENCE)

    def test_sizes(self):
        for text, want in (("448", (448, 448)), ("448x336", (448, 336)), ("14X28", (14, 28))):
            self.assertEqual(Settings.from_environ({"SIGLAB_IMAGE_SIZE": text}), Settings(Mode.REFERENCE, want))

    def test_bad_values(self):
        for environ, message in (
            ({"SIGLAB_POS_EMBED": "Bicubic"}, "is no mode; write one of reference, bilinear,"),
            ({"SIGLAB_POS_EMBED": "cached-bilinear"}, "'cached-bilinear' is no mode"),
            ({"SIGLAB_IMAGE_SIZE": "big"}, "is no size; write N or HxW"),
            ({"SIGLAB_IMAGE_SIZE": "448x"}, "is no size"),
            ({"SIGLAB_IMAGE_SIZE": "-448"}, "is no size"),
            ({"SIGLAB_IMAGE_SIZE": "448x336x3"}, "is no size"),
            ({"SIGLAB_IMAGE_SIZE": "٤٤٨"}, "is no size"),
            ({"SIGLAB_IMAGE_SIZE": "0"}, "1 to 4096"),
            ({"SIGLAB_IMAGE_SIZE": "99999"}, "1 to 4096"),
            ({"SIGLAB_POS_EMBED": "exact", "VLLM_DEBUG_SIGLIP": "yes"}, "write 1 for yes"),
        ):
            with self.subTest(environ), self.assertRaisesRegex(ValueError, message):
                Settings.from_environ(environ)


class Versions(unittest.TestCase):
    def test_known(self):
        for text in ("0.24.0", "0.32.0", "0.32.0+cpu", "0.32.1.dev3+gabc"):
            version.check(text)

    def test_unknown(self):
        for text in ("0.23.9", "0.33.0", "1.0", "dev", ""):
            with self.subTest(text), self.assertRaisesRegex(version.UnsupportedVLLM, "0.24 to 0.32.*SIGLAB_ANY_VLLM"):
                version.check(text)


if __name__ == "__main__":
    unittest.main()
